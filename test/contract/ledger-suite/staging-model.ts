import type { ReplaceRule } from '../../../src/core/load.js';

/** One receipt of the model. */
export interface ModelLoad {
  readonly loadId: number;
  readonly path: string;
  readonly content: string;
  readonly records: number;
  readonly duplicateAllowed: boolean;
  readonly generation: number;
  status: 'loaded' | 'rejected' | 'superseded' | 'cleared';
}

/**
 * `tallyman.loads` of one feed in a few lines: what a load replaces, and what its unique indexes refuse
 * (docs/spec/postgresql.md#loads).
 */
export class StagingModel {
  readonly loads: ModelLoad[] = [];

  /**
   * Returns what it replaced; or, as `winner`, the load that its index of (path, content) refuses it for. The ledger
   * does not foresee that for a file without records (nothing of it could be doubled, so its bytes are not read
   * beforehand); for any other it must.
   */
  commit(
    load: Omit<ModelLoad, 'status'>,
    rule: ReplaceRule,
  ): { readonly replaced: readonly number[]; readonly winner: number | null } {
    const goes = (other: ModelLoad): boolean => {
      switch (other.status) {
        case 'loaded':
          return rule.feed || rule.loadIds.includes(other.loadId) || (rule.path && other.path === load.path);
        case 'rejected':
          return (
            rule.loadIds.includes(other.loadId) ||
            (other.path === load.path && rule.keep?.includes(other.loadId) !== true)
          );
        case 'cleared':
          return other.path === load.path || other.content === load.content;
        case 'superseded':
          return false;
      }
    };
    for (const other of this.live()) {
      if (other.content !== load.content || goes(other)) continue;
      if (other.path === load.path && load.records === 0) return { replaced: [], winner: other.loadId };
      if (other.path === load.path) throw new Error(`loaded twice under ${load.path}`);
      if (load.records > 0 && !load.duplicateAllowed && !other.duplicateAllowed)
        throw new Error(`"${load.content}" loaded twice`);
    }
    const replaced = this.#supersede(goes);
    this.loads.push({ ...load, status: 'loaded' });
    return { replaced, winner: null };
  }

  /** A rejection settles earlier ones of the same bytes under the same path. */
  reject(load: Omit<ModelLoad, 'status'>): readonly number[] {
    const replaced = this.#supersede(
      (other) => other.status === 'rejected' && other.path === load.path && other.content === load.content,
    );
    this.loads.push({ ...load, status: 'rejected' });
    return replaced;
  }

  #supersede(goes: (other: ModelLoad) => boolean): readonly number[] {
    const replaced = this.loads.filter(goes);
    for (const other of replaced) other.status = 'superseded';
    return replaced.map((other) => other.loadId);
  }

  clear(loadId: number | null): void {
    for (const load of this.loads) if (load.loadId === loadId && load.status === 'loaded') load.status = 'cleared';
  }

  live(): readonly ModelLoad[] {
    return this.loads.filter((load) => load.status === 'loaded');
  }
}
