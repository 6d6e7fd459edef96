/** More files than this fail the same way only when it is no file's fault; past it the oldest is forgotten. */
const MOST_FILES = 1_000;

/**
 * Which files the database refused in which way since the last load that got through: trouble that several have is not
 * one file's own.
 */
export class SameTrouble {
  readonly #files = new Map<number, string>();

  /** A load got through: the database does its work. */
  passed(): void {
    this.#files.clear();
  }

  /** Notes the failure. True when no other file failed in this way since the last load that got through. */
  isAlone(fileId: number, message: string): boolean {
    this.#files.delete(fileId);
    const alone = ![...this.#files.values()].includes(message);
    if (this.#files.size >= MOST_FILES) this.#files.delete(this.#files.keys().next().value ?? fileId);
    this.#files.set(fileId, message);
    return alone;
  }
}
