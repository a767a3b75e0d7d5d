/**
 * The order of test files. A fresh clone knows of none how long it takes, and vitest then goes by their size; but the longest are not the
 * largest, and one that begins last is run alone, on a machine that could do twice as much.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The longest first: those of half a minute and more, as they take beside each other on two cores. */
export const longest = [
  'tests/e2e/test/routes.test.ts',
  'scripts/test/start/readme.test.ts',
  'tests/e2e/test/takeover.test.ts',
  'services/executions/test/executions.test.ts',
  'scripts/test/start/start.test.ts',
  'tests/e2e/test/kills.test.ts',
  'services/executions/test/domain/matching/properties.test.ts',
  'services/webhooks/test/webhooks.test.ts',
  'services/executions/test/exceptions-of-later-runs.test.ts',
  'services/executions/test/exports.test.ts',
  'services/executions/test/kept-matches.test.ts',
  'packages/provision/test/provision.test.ts',
];

/** The longest of those that share a system, which begin when all others have begun. */
export const longestSharing = [
  'tests/e2e/test/security/api04-unrestricted-resource-consumption.test.ts',
  'tests/e2e/test/hostile-input.test.ts',
];

/**
 * Whose files share services. Each kind is side by side, and behind all that have their own: services that wait for the next of them keep
 * some of a core busy with waiting.
 */
const sharing = ['/services/gateway/', '/services/identity/', '/tests/e2e/'];

const placeIn = (files: readonly string[], moduleId: string): number => {
  const place = files.findIndex((file) => moduleId.endsWith(`/${file}`));
  return place === -1 ? files.length : place;
};

const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = placeIn(longest, moduleId);
  const kind = sharing.findIndex((folder) => moduleId.includes(folder));
  if (place < longest.length || kind === -1) return place;
  return longest.length + 1 + kind * (longestSharing.length + 1) + placeIn(longestSharing, moduleId);
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((one, other) => placeOf(one) - placeOf(other));
  }
}
