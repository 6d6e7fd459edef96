import { sourceSuite } from '../../contract/source-suite.js';
import { localHarness } from './local-harness.js';

sourceSuite('local', localHarness);
