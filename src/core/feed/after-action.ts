export type AfterAction =
  | { readonly kind: 'leave' }
  | { readonly kind: 'delete' }
  /** strftime letters are the commit time in UTC. */
  | { readonly kind: 'move'; readonly to: string }
  | { readonly kind: 'tag'; readonly tags: Readonly<Record<string, string>> };

export interface AfterSpec {
  readonly loaded: AfterAction;
  readonly rejected: AfterAction;
  readonly duplicate: AfterAction;
}
