/** What may be sent, as JSON Schema. */
import { z } from 'zod';

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>;

/** Whether it begins with a step that looks at the value before its schema does. */
const isPreprocessed = (schema: z.core.$ZodType): boolean => {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type !== 'pipe') return false;
  return (def.in as z.core.$ZodTypes)._zod.def.type === 'transform' ? def.out._zod.optin === undefined : isPreprocessed(def.in);
};

/** zod takes whatever is preprocessed for optional, and leaves it out of `required`. */
export const requirePreprocessed: Override = ({ zodSchema, jsonSchema }) => {
  const { def } = (zodSchema as z.core.$ZodTypes)._zod;
  if (def.type !== 'object') return;
  const missing = Object.keys(def.shape).filter((name) => isPreprocessed(def.shape[name] as z.core.$ZodType));
  if (missing.length > 0) jsonSchema.required = [...new Set([...(jsonSchema.required ?? []), ...missing])];
};

/** For the reference, which would lose what is said beside a `$ref`, and show bounds that no schema has named. */
export const readable: Override = (context) => {
  requirePreprocessed(context);
  const { jsonSchema } = context;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  const { $ref: reference } = jsonSchema;
  if (reference === undefined || Object.keys(jsonSchema).length === 1) return;
  delete jsonSchema.$ref;
  jsonSchema.allOf = [{ $ref: reference }];
};

export const jsonSchemaOf = (schema: z.ZodType): z.core.JSONSchema.BaseSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', override: requirePreprocessed });
