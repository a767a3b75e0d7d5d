/** What the document of the gateway says of its operations to people: descriptions, and examples beside their schemas. */
import type { RouteName } from '@settler/contracts/routes';
import type { Answer } from '@settler/harness';
import { validatorsOf } from './descriptions.ts';

export interface Example {
  readonly name: string;
  readonly value: unknown;
  /** In what it differs from the schema that it stands beside; empty where it does not. */
  readonly faults: () => readonly string[];
}

export interface Documented {
  readonly name: RouteName;
  readonly path: string;
  readonly description: string;
  readonly parameters: readonly { readonly name: string; readonly description?: string; readonly pattern?: string }[];
  readonly takesJson: boolean;
  /** Fields of its JSON body that nothing is said of. */
  readonly unexplained: readonly string[];
  readonly bodies: readonly Example[];
  /** By status; of problems by code. */
  readonly answers: readonly Example[];
  /** In what a success of the running system differs from its schema. */
  readonly faultsOf: (answer: Answer) => readonly string[];
}

interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
}
interface Media {
  readonly schema?: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
type Content = Readonly<Record<string, Media>>;
interface Response {
  readonly $ref?: string;
  readonly content?: Content;
}
interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly description?: string;
  readonly schema?: { readonly $ref?: string; readonly description?: string; readonly pattern?: string };
}
interface Operation {
  readonly operationId: RouteName;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Response>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export const readExamples = async (url: string): Promise<readonly Documented[]> => {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
  const validatorAt = validatorsOf(document);
  const faultsIn = (pointer: string, value: unknown): readonly string[] => {
    const validate = validatorAt(pointer);
    return validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
  const at = <Found>(found: { readonly $ref?: string } & Found): [Found, string] | undefined => {
    if (found.$ref === undefined) return undefined;
    const pointer = found.$ref.slice(1);
    return [
      pointer
        .split('/')
        .slice(1)
        .reduce<never>((inside, part) => inside[part] as never, document as never),
      pointer,
    ];
  };

  /** Of the fields of a schema, those without a description of their own, or of what they refer to. */
  const unexplainedIn = (schema: Schema, within: string, seen: ReadonlySet<string>): string[] => {
    if (schema.$ref !== undefined) {
      const [known] = at<Schema>(schema) ?? [schema];
      return seen.has(schema.$ref) ? [] : unexplainedIn(known, within, new Set([...seen, schema.$ref]));
    }
    const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
      const place = `${within}.${name}`;
      const isSaid = [field, at<Schema>(field)?.[0]].some((one) => one?.description !== undefined);
      return [...(isSaid ? [] : [place]), ...unexplainedIn(field, place, seen)];
    });
    const { anyOf = [], allOf = [], items, additionalProperties } = schema;
    const others = typeof additionalProperties === 'object' ? [additionalProperties] : [];
    return [
      ...fields,
      ...[...anyOf, ...allOf, ...(items === undefined ? [] : [items]), ...others].flatMap((one) => unexplainedIn(one, within, seen)),
    ];
  };

  const documented = (path: string, method: string, operation: Operation): Documented => {
    const { operationId: name, description = '', parameters = [], requestBody, responses } = operation;
    const place = `/paths/${encodeURIComponent(path.replaceAll('/', '~1'))}/${method}`;
    const ofMedia = (media: Media | undefined, pointer: string, own: string): Example[] => {
      const shown = Object.entries(media?.examples ?? {}).map(([one, { value }]) => [one, value] as const);
      const all = media?.example === undefined ? shown : [...shown, [own, media.example] as const];
      return all.map(([one, value]) => ({ name: one, value, faults: () => faultsIn(`${pointer}/schema`, value) }));
    };
    const ofContent = (content: Content | undefined, pointer: string, own: string): Example[] =>
      Object.entries(content ?? {}).flatMap(([type, media]) =>
        ofMedia(media, `${pointer}/content/${encodeURIComponent(type.replaceAll('/', '~1'))}`, own),
      );
    const json = encodeURIComponent('application~1json');
    return {
      name,
      path,
      description,
      parameters: parameters.map((parameter) => {
        const [known] = at<Parameter>(parameter) ?? [parameter];
        const [schema] = (known.schema === undefined ? undefined : at<NonNullable<Parameter['schema']>>(known.schema)) ?? [known.schema];
        const said = known.description ?? schema?.description;
        return {
          name: known.name,
          ...(said === undefined ? {} : { description: said }),
          ...(schema?.pattern === undefined ? {} : { pattern: schema.pattern }),
        };
      }),
      takesJson: requestBody?.content['application/json'] !== undefined,
      unexplained: unexplainedIn(requestBody?.content['application/json']?.schema ?? {}, name, new Set()),
      bodies: ofContent(requestBody?.content, `${place}/requestBody`, ''),
      answers: Object.entries(responses).flatMap(([status, response]) => {
        const [known, pointer] = at<Response>(response) ?? [response, `${place}/responses/${status}`];
        return ofContent(known.content, pointer, status);
      }),
      faultsOf: ({ status, body }) =>
        status >= 400 || responses[status]?.content?.['application/json'] === undefined
          ? []
          : faultsIn(`${place}/responses/${status}/content/${json}/schema`, body),
    };
  };

  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => documented(path, method, operation)),
  );
};
