/**
 * Receipts that were taken in for their content alone, because another data_dir wrote them, are looked at again: those
 * of paths that we see too are our own by now.
 */
export const SCHEMA_2 = `
delete from meta where key = 'receipts_seen' and exists (select 1 from receipt where file_id is null);
`;
