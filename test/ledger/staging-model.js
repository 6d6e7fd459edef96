/** `tallyman.loads` of one feed in a few lines: what a load replaces, and what its unique indexes refuse (SPEC 6). */
export class StagingModel {
    loads = [];
    commit(load, rule) {
        const goes = (other) => other.status === 'loaded'
            ? rule.feed || rule.loadIds.includes(other.loadId) || (rule.path && other.path === load.path)
            : other.status === 'cleared' && (other.path === load.path || other.content === load.content);
        const replaced = this.loads.filter(goes);
        for (const other of replaced)
            other.status = 'superseded';
        for (const other of this.live()) {
            if (other.content !== load.content)
                continue;
            if (other.path === load.path)
                throw new Error(`loaded twice under ${load.path}`);
            if (load.records > 0 && !load.duplicateAllowed && !other.duplicateAllowed)
                throw new Error(`"${load.content}" loaded twice`);
        }
        this.loads.push({ ...load, status: 'loaded' });
        return replaced.map((other) => other.loadId);
    }
    clear(loadId) {
        for (const load of this.loads)
            if (load.loadId === loadId && load.status === 'loaded')
                load.status = 'cleared';
    }
    live() {
        return this.loads.filter((load) => load.status === 'loaded');
    }
}
