import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { pageQuery } from '../src/pagination.ts';

const query = z.object(pageQuery);

describe('the query of a list', () => {
  test.each(['1', '200'])('takes a limit of %s', (limit) => {
    expect(query.parse({ limit })).toEqual({ limit: Number(limit) });
  });

  test.each(['0', '201', '1.5', '1e2', '0x10', ' 7', '-1', '', '9'.repeat(16)])(
    'refuses a limit of %j and says which it takes',
    (limit) => {
      const messages = query.safeParse({ limit }).error?.issues.map(({ message }) => message);
      expect(messages).toEqual(['must be a whole number from 1 to 200']);
    },
  );
});
