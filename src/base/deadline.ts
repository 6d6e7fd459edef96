/**
 * Waits for `work` at most `ms` milliseconds, then throws what `late` makes. The work itself goes on (a system call on
 * a dead mount cannot be called back), but nobody waits for it any more.
 */
export async function deadline<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const alarm = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, alarm]);
  } finally {
    clearTimeout(timer);
  }
}
