import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../check/command.ts';
import { blocksOf } from './documents/blocks.ts';

const skipped = new Set(['node_modules', 'dist', '.git', '.settler', 'coverage']);

const documentsIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : documentsIn(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });

const withoutBlocks = (markdown: string): string =>
  blocksOf(markdown)
    .reduce((text, block) => text.replace(block.text, ''), markdown)
    .replaceAll(/`[^`\n]*`/g, 'code');

const linksOf = (markdown: string): string[] => {
  const targets = [...withoutBlocks(markdown).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
};

/** As GitHub makes them: lower case, punctuation gone, spaces as hyphens. */
const anchorsOf = (markdown: string): string[] => {
  const lines = blocksOf(markdown)
    .reduce((text, block) => text.replace(block.text, ''), markdown)
    .split('\n');
  return lines
    .filter((line) => /^#{1,6} /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    );
};

const faultOf = (document: string, target: string): string | undefined => {
  const [path = '', anchor] = target.split('#');
  const place = path === '' ? document : resolve(dirname(document), decodeURIComponent(path));
  if (!existsSync(place)) return `${target} is not there`;
  if (anchor === undefined || statSync(place).isDirectory()) return undefined;
  return anchorsOf(readFileSync(place, 'utf8')).includes(anchor) ? undefined : `${target}: no such heading`;
};

describe('links between documents', () => {
  const documents = documentsIn(root);

  it('are looked at', () => {
    expect(documents.length).toBeGreaterThan(20);
    expect(linksOf(readFileSync(join(root, 'README.md'), 'utf8')).length).toBeGreaterThan(15);
  });

  it.each(documents.map((document) => relative(root, document)))('lead somewhere: %s', (document) => {
    const path = join(root, document);
    const faults = linksOf(readFileSync(path, 'utf8')).map((target) => faultOf(path, target));
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
  });

  it('are at fault where there is no such file or heading', () => {
    const readme = join(root, 'README.md');
    expect(faultOf(readme, 'docs/nothing.md')).toBe('docs/nothing.md is not there');
    expect(faultOf(readme, 'ARCHITECTURE.md#nothing')).toBe('ARCHITECTURE.md#nothing: no such heading');
    expect(faultOf(readme, 'ARCHITECTURE.md#who-owns-what')).toBeUndefined();
  });
});
