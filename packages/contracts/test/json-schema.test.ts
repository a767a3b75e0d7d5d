import { jsonSchemaOf } from '@settler/contracts/json-schema';
import { rules } from '@settler/contracts/rules';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

describe('a JSON Schema', () => {
  it('requires what is looked at before it is read, unless it may be left out', () => {
    const seen = z.preprocess((value) => value, z.string());
    const schema = jsonSchemaOf(
      z.strictObject({
        plain: z.string(),
        seen,
        changed: seen.transform(Number),
        may: seen.optional(),
        inside: z.preprocess((value) => value, z.string().optional()),
      }),
    );
    expect(schema.required).toEqual(['plain', 'seen', 'changed']);
  });

  it('says of the rules that there are two forms, each with what it cannot be without', () => {
    const forms = jsonSchemaOf(rules).$defs?.['Rules']?.anyOf ?? [];
    expect(forms.map((form) => (form as z.core.JSONSchema.BaseSchema).required)).toEqual([['passes'], ['matching']]);
  });
});
