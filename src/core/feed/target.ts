export interface TargetSpec {
  readonly schema: string;
  readonly table: string;
  readonly mode: 'append' | 'replace_all';
  readonly create: boolean;
  readonly loadIndex: 'none' | 'brin' | 'btree';
}
