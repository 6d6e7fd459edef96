export interface TargetSpec {
  readonly schema: string;
  readonly table: string;
  readonly mode: 'append' | 'replace_all';
  readonly create: boolean;
  readonly loadIndex: 'none' | 'brin' | 'btree';
  /** Names under which the very same table stood before it was renamed or moved; receipts keep them. Omitted = none. */
  readonly formerly?: readonly TableName[];
}

export interface TableName {
  readonly schema: string;
  readonly table: string;
}
