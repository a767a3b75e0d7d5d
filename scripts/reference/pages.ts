/** The pages of docs/reference, and whether what is committed is what they would be now. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../check/command.ts';
import { auditActionsPage } from './audit-actions.ts';
import { configurationPage } from './configuration.ts';
import { errorsPage } from './errors.ts';
import { eventsPage } from './events.ts';
import { type Page, pageText } from './markdown.ts';
import { routesPage } from './routes.ts';

export const referenceFolder = 'docs/reference';
export const referenceCommand = 'npm run reference';

const pages = (): readonly Page[] => {
  const all = [routesPage(), eventsPage(), errorsPage(), auditActionsPage(), configurationPage()];
  return [indexOf(all), ...all];
};

const indexOf = (all: readonly Page[]): Page => ({
  file: 'README.md',
  title: 'Reference',
  about: 'What Settler answers to, says and can be told, taken from the code itself.',
  source: 'scripts/reference',
  body: [
    all.map(({ file, title, about }) => `- [${title}](${file}): ${about}`).join('\n'),
    'Requests and answers field by field: `GET /openapi.json` and `GET /docs` of a running Settler.',
  ],
});

/** Returns the paths that were written. What is there besides is removed: nothing in the folder is written by hand. */
export const writeReference = (folder = join(root, referenceFolder)): string[] => {
  mkdirSync(folder, { recursive: true });
  const wanted = pages();
  for (const file of readdirSync(folder)) if (!wanted.some((page) => page.file === file)) rmSync(join(folder, file), { recursive: true });
  return wanted.map((page) => {
    writeFileSync(join(folder, page.file), pageText(page));
    return `${referenceFolder}/${page.file}`;
  });
};

/** What is wrong with the committed pages, one line each; none when all of them are what they would be now. */
export const referenceFaults = (folder = join(root, referenceFolder)): string[] => {
  const wanted = pages();
  const unknown = filesIn(folder).filter((file) => !wanted.some((page) => page.file === file));
  return [
    ...wanted.flatMap((page) => faultOf(page, folder)),
    ...unknown.map((file) => `${referenceFolder}/${file} is written by hand, and this folder is generated.`),
  ];
};

const faultOf = (page: Page, folder: string): string[] => {
  const place = `${referenceFolder}/${page.file}`;
  const committed = filesIn(folder).includes(page.file) ? readFileSync(join(folder, page.file), 'utf8').split('\n') : undefined;
  if (committed === undefined) return [`${place} is missing.`];
  const expected = pageText(page).split('\n');
  const line = expected.findIndex((text, index) => text !== committed[index]);
  if (line === -1 && expected.length === committed.length) return [];
  const at = line === -1 ? expected.length : line;
  return [`${place}:${at + 1} says «${committed[at] ?? ''}» where the code says «${expected[at] ?? ''}».`];
};

const filesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};
