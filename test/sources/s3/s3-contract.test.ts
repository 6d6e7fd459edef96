import { afterAll, beforeAll } from 'vitest';
import { objectStoreSuite } from '../../contract/object-store-suite.js';
import { sourceSuite } from '../../contract/source-suite.js';
import { s3Client, startS3, type S3Server } from '../../servers/s3.js';
import { startFakeS3, type FakeS3 } from '../../support/fake-s3.js';
import { s3Harness } from './s3-harness.js';

let real: S3Server;
let fake: FakeS3;
beforeAll(async () => {
  real = await startS3();
  fake = await startFakeS3();
}, 300_000);
afterAll(async () => {
  await real.close();
  await fake.close();
});

const onFake = () =>
  s3Harness({
    endpoint: fake.endpoint,
    accessKeyId: 'KEY',
    secretAccessKey: 'secret',
    client: s3Client(fake.endpoint, 'KEY', 'secret'),
  });

sourceSuite('s3 (a real server)', () => s3Harness(real));
// The server that shows the faults keeps the same contract: what is found out with it is true of a real one.
sourceSuite('s3 (the server with faults)', onFake);

// Ceph passes conditions on copies and deletions over, and drops the tags of what it copies with new metadata.
objectStoreSuite('s3 (a real server)', async () => ({
  ...(await s3Harness(real)),
  keepsConditions: real.kind !== 'ceph',
  copiesTags: real.kind !== 'ceph',
}));
objectStoreSuite('s3 (the server with faults)', onFake);
