/**
 * Everything about a table that a load has to know, in one row. $1 schema, $2 table. The pieces come as json so that it
 * is one round trip. PostgreSQL 13 to 18; all functions and catalogs are qualified, so no search_path changes it.
 */
export const INSPECT_TABLE = `
WITH RECURSIVE t AS (
  SELECT c.* FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
),
leaf AS (
  SELECT c.* FROM t, LATERAL pg_catalog.pg_partition_tree(t.oid) p JOIN pg_catalog.pg_class c ON c.oid = p.relid
  WHERE t.relkind = 'p' AND p.isleaf
  UNION ALL
  SELECT t.* FROM t WHERE t.relkind <> 'p'
),
col AS (
  SELECT a.* FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid WHERE a.attnum > 0 AND NOT a.attisdropped
),
-- A domain over a domain over varchar(5): down to the base type, gathering what the domains themselves refuse.
base AS (
  SELECT col.attnum, ty.oid AS typid, ty.typtype, ty.typbasetype, col.atttypmod AS typmod, false AS checked, false AS not_null, false AS has_default
  FROM col JOIN pg_catalog.pg_type ty ON ty.oid = col.atttypid
  UNION ALL
  SELECT b.attnum, ty.oid, ty.typtype, ty.typbasetype, CASE WHEN b.typmod >= 0 THEN b.typmod ELSE d.typtypmod END,
    b.checked OR EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = d.oid AND k.contype = 'c'),
    b.not_null OR d.typnotnull, b.has_default OR d.typdefault IS NOT NULL
  FROM base b JOIN pg_catalog.pg_type d ON d.oid = b.typid JOIN pg_catalog.pg_type ty ON ty.oid = d.typbasetype
  WHERE b.typtype = 'd'
)
SELECT t.oid::bigint AS oid, t.relkind::text AS relkind, t.relpersistence::text AS relpersistence, t.relispartition AS is_partition,
  (SELECT bool_or(pg_catalog.row_security_active(leaf.oid)) FROM leaf) OR pg_catalog.row_security_active(t.oid) AS row_security,
  pg_catalog.current_setting('server_version_num')::integer AS server_version,
  (SELECT r.rolname::text FROM pg_catalog.pg_roles r WHERE r.oid = t.relowner) AS owner,
  pg_catalog.quote_ident(current_user) AS role,
  pg_catalog.has_schema_privilege(t.relnamespace, 'USAGE') AS may_use,
  pg_catalog.has_table_privilege(t.oid, 'INSERT') OR pg_catalog.has_any_column_privilege(t.oid, 'INSERT') AS may_insert,
  pg_catalog.has_table_privilege(t.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(t.oid, 'SELECT') AS may_select,
  pg_catalog.has_table_privilege(t.oid, 'DELETE') AS may_delete,
  COALESCE((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('oid', leaf.oid::bigint, 'schema', n.nspname, 'name', leaf.relname,
      'relkind', leaf.relkind, 'relpersistence', leaf.relpersistence) ORDER BY leaf.oid)
    FROM leaf JOIN pg_catalog.pg_namespace n ON n.oid = leaf.relnamespace), '[]') AS leaves,
  COALESCE((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', col.attname, 'attnum', col.attnum,
      'oid', ty.oid::bigint, 'typname', ty.typname, 'typmod', base.typmod, 'formatted', pg_catalog.format_type(ty.oid, base.typmod),
      'enum_labels', (SELECT pg_catalog.json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = ty.oid),
      'loose_collation', EXISTS (SELECT FROM pg_catalog.pg_collation l WHERE l.oid = col.attcollation AND NOT l.collisdeterministic),
      'not_null', col.attnotnull OR base.not_null,
      'has_default', col.atthasdef OR base.has_default OR col.attidentity <> '',
      'generated', col.attgenerated <> '', 'domain_checked', base.checked) ORDER BY col.attnum)
    FROM col JOIN base ON base.attnum = col.attnum AND base.typtype <> 'd' JOIN pg_catalog.pg_type ty ON ty.oid = base.typid), '[]') AS columns,
  COALESCE((SELECT pg_catalog.json_agg(DISTINCT pg_catalog.jsonb_build_object('name', k.conname, 'kind', k.contype::text))
    FROM pg_catalog.pg_constraint k WHERE (k.conrelid = t.oid OR k.conrelid IN (SELECT leaf.oid FROM leaf)) AND k.contype IN ('c', 'u', 'p', 'x', 'f')), '[]') AS constraints,
  COALESCE((SELECT pg_catalog.json_agg(DISTINCT pg_catalog.jsonb_build_object('name', g.tgname, 'on_insert', g.tgtype & 4 <> 0))
    FROM pg_catalog.pg_trigger g WHERE (g.tgrelid = t.oid OR g.tgrelid IN (SELECT leaf.oid FROM leaf))
      -- 4 = fires on INSERT; D = disabled, R = only on a replica
      AND NOT g.tgisinternal AND g.tgenabled NOT IN ('D', 'R')), '[]') AS triggers,
  COALESCE((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', ic.relname, 'method', am.amname, 'unique', i.indisunique,
      'expression', i.indexprs IS NOT NULL OR i.indpred IS NOT NULL, 'first_column', (SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[0]),
      'valid', i.indisvalid, 'on_leaf', i.indrelid <> t.oid) ORDER BY ic.oid)
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid JOIN pg_catalog.pg_am am ON am.oid = ic.relam
    WHERE (i.indrelid = t.oid OR i.indrelid IN (SELECT leaf.oid FROM leaf)) AND i.indislive), '[]') AS indexes,
  CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_publication p WHERE p.pubdelete) THEN
    (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('schema', n.nspname, 'name', leaf.relname)
       ORDER BY leaf.oid)
     FROM leaf JOIN pg_catalog.pg_namespace n ON n.oid = leaf.relnamespace
       JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
     WHERE NOT (leaf.relreplident = 'f' OR EXISTS (SELECT FROM pg_catalog.pg_index i
       WHERE i.indrelid = leaf.oid AND i.indisvalid
         AND ((leaf.relreplident = 'd' AND i.indisprimary) OR (leaf.relreplident = 'i' AND i.indisreplident))))
       AND EXISTS (SELECT FROM pg_catalog.pg_publication p
         JOIN pg_catalog.pg_publication_tables pt ON pt.pubname = p.pubname
         WHERE p.pubdelete AND ((pt.schemaname = n.nspname AND pt.tablename = leaf.relname)
           OR (pt.schemaname = tn.nspname AND pt.tablename = t.relname)))) END AS unidentified,
  COALESCE((SELECT pg_catalog.json_agg(r.rulename::text) FROM pg_catalog.pg_rewrite r WHERE r.ev_class = t.oid AND r.ev_type = '3' AND r.ev_enabled <> 'D'), '[]') AS rules
FROM t`;

/**
 * A text that changes when anything that INSPECT_TABLE tells has changed: row versions (xmin) of the catalog rows
 * behind it, which no other session can change while we hold ROW EXCLUSIVE on the table, but for types. `regclass` is
 * SQL that returns the table's oid. NULL when there is no such table. CREATE INDEX and further triggers do not touch
 * the pg_class row, so their own rows are asked.
 */
export function tableFingerprintSql(regclass: string): string {
  const newest = (from: string): string =>
    `(SELECT count(*)::text || '.' || COALESCE(max(x.xmin::text::bigint), 0)::text || '.' || COALESCE(sum(x.xmin::text::bigint), 0)::text FROM ${from})`;
  return `(SELECT pg_catalog.concat_ws('/', c.oid::bigint, c.xmin::text, pg_catalog.row_security_active(c.oid),
  ${newest('pg_catalog.pg_attribute x WHERE x.attrelid = c.oid AND x.attnum > 0')},
  ${newest('pg_catalog.pg_constraint x WHERE x.conrelid = c.oid')},
  ${newest('pg_catalog.pg_trigger x WHERE x.tgrelid = c.oid')},
  ${newest('pg_catalog.pg_index x WHERE x.indrelid = c.oid')},
  ${newest('pg_catalog.pg_publication x')},
  ${newest('pg_catalog.pg_publication_rel x WHERE x.prrelid = c.oid')},
  ${newest("pg_catalog.pg_type x WHERE x.typtype IN ('d', 'e') AND x.oid IN (SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid)")},
  ${newest('pg_catalog.pg_constraint x WHERE x.contypid IN (SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)')},
  ${newest('pg_catalog.pg_enum x WHERE x.enumtypid IN (SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)')},
  CASE WHEN c.relkind = 'p' THEN (SELECT pg_catalog.string_agg(p.relid::oid::text || '.' || l.xmin::text, ',' ORDER BY p.relid::oid)
    FROM pg_catalog.pg_partition_tree(c.oid) p JOIN pg_catalog.pg_class l ON l.oid = p.relid) END)
FROM pg_catalog.pg_class c WHERE c.oid = ${regclass})`;
}
