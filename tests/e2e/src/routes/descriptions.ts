/** What the running system says of itself: which routes each service serves, and what the reference says that they answer. */
import { statefulServices } from '@settler/contracts/services';
import type { Answer, Island } from '@settler/harness';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

export interface Operation {
  readonly operationId: string;
  readonly requestBody?: unknown;
  readonly 'x-settler-optional-body'?: boolean;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const read = async (url: string): Promise<Document> => (await fetch(`${url}/openapi.json`)).json() as Promise<Document>;

/** From the services themselves, each on its own port. */
export const readOperations = async (island: Island): Promise<ReadonlyMap<string, Operation>> => {
  const documents = await Promise.all(statefulServices.map((service) => read(island.serviceUrl(service))));
  const found = documents.flatMap(({ paths }) => Object.values(paths).flatMap((methods) => Object.values(methods)));
  return new Map(found.map((operation) => [operation.operationId, operation]));
};

export const takesBody = ({ requestBody }: Operation): boolean => requestBody !== undefined;
export const needsBody = (operation: Operation): boolean => takesBody(operation) && operation['x-settler-optional-body'] !== true;
export const isList = ({ parameters = [] }: Operation): boolean => parameters.some(({ name }) => name === 'cursor');
export const isDeclared = ({ responses }: Operation, status: number): boolean => String(status) in responses;

/** In what an answer differs from what the gateway's document says of it; empty where it does not. */
export type Compare = (operationId: string, answer: Answer) => readonly string[];

/**
 * By pointer: what checks a value against that schema of a document. Each is compiled once, because
 * compiling takes far longer than checking, and most answers of an operation have one schema.
 */
export const validatorsOf = (document: object): ((pointer: string) => ValidateFunction) => {
  // The document says `nullable` and the like in its own words; what is wrong with it as a document is the gateway's test to find.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, 'reference');
  const compiled = new Map<string, ValidateFunction>();
  return (pointer) => {
    const known = compiled.get(pointer) ?? ajv.compile({ $ref: `reference#${pointer}` });
    compiled.set(pointer, known);
    return known;
  };
};

export const readReference = async (url: string): Promise<Compare> => {
  const document = await read(url);
  const validatorAt = validatorsOf(document);
  const places = new Map(
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => [operationId, ['paths', path, method, 'responses']] as const),
    ),
  );

  return (operationId, { status, headers, body }) => {
    const mediaType = headers.get('content-type')?.split(';')[0];
    if (body === undefined || mediaType === undefined || !mediaType.endsWith('json')) return [];
    const place =
      status >= 400
        ? ['components', 'schemas', 'Problem']
        : [...(places.get(operationId) ?? []), String(status), 'content', mediaType, 'schema'];
    const validate = validatorAt(place.map((part) => `/${pointerPart(part)}`).join(''));
    if (validate(body)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `the answer's ${instancePath} ${message}`);
  };
};

const pointerPart = (text: string): string => encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));
