import type { ReplaceRule } from '../../src/core/load.js';

/** One receipt of the model. */
export interface ModelLoad {
  readonly loadId: number;
  readonly path: string;
  readonly content: string;
  readonly records: number;
  readonly duplicateAllowed: boolean;
  readonly generation: number;
  status: 'loaded' | 'superseded' | 'cleared';
}

/** `tallyman.loads` of one feed in a few lines: what a load replaces, and what its unique indexes refuse (SPEC 6). */
export class StagingModel {
  readonly loads: ModelLoad[] = [];

  commit(load: Omit<ModelLoad, 'status'>, rule: ReplaceRule): readonly number[] {
    const goes = (other: ModelLoad): boolean =>
      other.status === 'loaded'
        ? rule.feed || rule.loadIds.includes(other.loadId) || (rule.path && other.path === load.path)
        : other.status === 'cleared' && (other.path === load.path || other.content === load.content);
    const replaced = this.loads.filter(goes);
    for (const other of replaced) other.status = 'superseded';
    for (const other of this.live()) {
      if (other.content !== load.content) continue;
      if (other.path === load.path) throw new Error(`loaded twice under ${load.path}`);
      if (load.records > 0 && !load.duplicateAllowed && !other.duplicateAllowed) throw new Error(`"${load.content}" loaded twice`);
    }
    this.loads.push({ ...load, status: 'loaded' });
    return replaced.map((other) => other.loadId);
  }

  clear(loadId: number | null): void {
    for (const load of this.loads) if (load.loadId === loadId && load.status === 'loaded') load.status = 'cleared';
  }

  live(): readonly ModelLoad[] {
    return this.loads.filter((load) => load.status === 'loaded');
  }
}
