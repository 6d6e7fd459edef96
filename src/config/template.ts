/**
 * What `tallyman init` writes: a config that runs as it stands, and a file for it to load. Kept true by
 * test/config/template.test.ts.
 */

export const TEMPLATE_DROP = 'drop/orders';

export const TEMPLATE_CONFIG = `# tallyman: files dropped into a folder become rows in PostgreSQL, each file once.
#   tallyman check              is this file right?
#   tallyman run --once         load what is there now, and exit
#   tallyman run                keep watching
#   tallyman config schema      the JSON Schema of this file, for editors
version: 1

# The ledger, the lock and the embedded database are kept here.
data_dir: ./tallyman-data

database:
  # A real PostgreSQL out of npm packages, kept in data_dir. To use your own server instead, take this line out and write:
  #   url: "postgresql://ingest@db:5432/warehouse?sslmode=verify-full"
  #   password: { env: PGPASSWORD }
  embedded: true

feeds:
  orders:
    source:
      type: local
      dir: ${TEMPLATE_DROP}
      pattern: "orders_%Y%m%d*.csv"     # %Y %m %d are digits of the date; * is anything
      settle: 5s                        # a file is read once it has not changed for this long
    format:
      type: csv
      delimiter: ","
    # The contract. Rows that break it go to quarantine with the reason (tallyman quarantine); the others are loaded.
    # Without columns, every column of the file lands as text.
    columns:
      - { name: order_id, type: bigint, required: true, unique: true }
      - { name: customer, from: "Customer Name", type: text, max_length: 80 }
      - { name: amount, type: "numeric(12,2)", min: 0 }
      - { name: currency, type: text, enum: [EUR, USD, GBP] }
      - { name: ordered_at, type: timestamptz, format: "%d/%m/%Y %H:%M:%S", timezone: Europe/Paris }
    # The same content is never loaded twice, whatever its name. A path that comes again with new content:
    on_changed: replace                 # load (beside the old rows) | replace | hold | skip
    limits:
      bad_ratio: 0.5                    # more bad rows than this, and the file as a whole is rejected
    target:
      table: orders                     # in schema staging, made when it is missing
    after:
      loaded: leave                     # leave | delete | { move: "done/%Y/%m" }
`;

/** One of its rows breaks the contract, so that the first run shows the quarantine too. */
export const TEMPLATE_SAMPLE = {
  name: 'orders_20261120.csv',
  text: `order_id,Customer Name,amount,currency,ordered_at
1001,"Duval, Claire",129.90,EUR,20/11/2026 08:15:00
1002,Okafor & Sons,1250.00,GBP,20/11/2026 08:17:42
1003,Miller Hardware,19.5,USD,20/11/2026 08:20:05
1004,Nadia Rossi,"1.234,50",EUR,20/11/2026 08:31:10
1005,"Café ""Zum Löwen""",64.00,EUR,20/11/2026 08:44:59
`,
} as const;
