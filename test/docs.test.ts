import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..');
const TEXT = /\.(?:ts|mts|mjs|md|ya?ml|json|sh|html)$/;

/** Text files below these folders and files, as paths from the root; not the demo's data, not this file. */
const textsBelow = (...places: readonly string[]): ReadonlyMap<string, string> =>
  new Map(
    places
      .flatMap((place) =>
        statSync(path.join(ROOT, place)).isFile()
          ? [place]
          : readdirSync(path.join(ROOT, place), { recursive: true, encoding: 'utf8' }).map((file) =>
              path.posix.join(place, file.split(path.sep).join('/')),
            ),
      )
      .filter((file) => TEXT.test(file) && !file.startsWith('config/demo/drop/') && file !== 'test/docs.test.ts')
      .map((file) => [file, readFileSync(path.join(ROOT, file), 'utf8')] as const),
  );

const documents = textsBelow('README.md', 'CHANGELOG.md', 'docs');
const pages = [...documents].filter(([file]) => file.endsWith('.md'));
const code = textsBelow('src', 'test', 'bench', 'config');

/** Anchors of a page as GitHub makes them from its headings. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(markdown).matchAll(/^#{1,6} (.+)$/gm)) {
    const base = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = base;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${base}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Fenced blocks may hold lines that look like headings, and links of other languages. */
const withoutCode = (markdown: string): string => markdown.replace(/^```[^]*?^```/gm, '');

const anchors = new Map(pages.map(([file, text]) => [file, anchorsOf(text)]));

/** What is wrong with a reference to a file of the repository; null = nothing. */
function broken(file: string, anchor: string | undefined): string | null {
  if (!existsSync(path.join(ROOT, file))) return 'no such file';
  if (anchor === undefined) return null;
  return anchors.get(file)?.has(anchor) === true ? null : 'no such heading';
}

describe('references lead somewhere', () => {
  test('every link of the documents', () => {
    const wrong = pages.flatMap(([file, text]) =>
      [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
        if (/^[a-z]+:/.test(target)) return [];
        const [to = '', anchor] = target.split('#');
        const what = broken(to === '' ? file : path.posix.join(path.posix.dirname(file), to), anchor);
        return what === null ? [] : [`${file}: ${target}: ${what}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('every page that code and config name', () => {
    const wrong = [...code].flatMap(([file, text]) =>
      [...text.matchAll(/\bdocs\/[\w/-]+\.md(?:#([\w-]+))?/g)].flatMap(([reference, anchor]) => {
        const what = broken(reference.replace(/#.*/, ''), anchor);
        return what === null ? [] : [`${file}: ${reference}: ${what}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('every page is reached from the README', () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      const text = documents.get(file);
      if (text === undefined || reached.has(file)) return;
      reached.add(file);
      for (const [, to = ''] of withoutCode(text).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g))
        if (to.endsWith('.md')) visit(path.posix.join(path.posix.dirname(file), to));
    };
    visit('README.md');
    expect(pages.map(([file]) => file).filter((file) => file !== 'CHANGELOG.md' && !reached.has(file))).toEqual([]);
  });

  test('every folder of src/ has its line on the architecture page', () => {
    const named = [...(documents.get('docs/architecture.md') ?? '').matchAll(/^\| `([a-z]+)\/` \|/gm)].map(
      ([, name]) => name,
    );
    const folders = readdirSync(path.join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(named.toSorted()).toEqual(folders.map((entry) => entry.name).toSorted());
  });

  test('none is to a document that is not in the repository', () => {
    const elsewhere =
      /\b(?:SPEC|DESIGN)(?:-2)?\b|\bHOUSE(?:\.md| [A-D]\d?)\b|\b(?:FAULTS|BUGS|FACTS|MODELS|CONSOLE)(?:\.md| \d)|\b[Ii]ssue \d+\b|\b[Cc]losing notes?\b/g;
    const wrong = [...documents, ...code].flatMap(([file, text]) =>
      [...text.matchAll(elsewhere)].map(([found]) => `${file}: ${found}`),
    );
    expect(wrong).toEqual([]);
  });
});
