/**
 * Checks a value against the plain part of JSON Schema that messages between services are made of: `object` with
 * `properties` and `required`, `array` with `items` and `maxItems`, `string` with `pattern`, `minLength` and `maxLength`,
 * `integer` with `minimum` and `maximum`, and `enum`. Typebox's own checker takes longer to load than all that is checked.
 */
import type { TSchema } from 'typebox';

interface Plain {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Plain>>;
  readonly required?: readonly string[];
  readonly items?: Plain;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

const WORDS = new Set([
  ...['type', 'enum', 'properties', 'required', 'items', 'maxItems', 'pattern', 'minLength', 'maxLength'],
  ...['minimum', 'maximum', 'description'],
]);

/**
 * Finds what is wrong with a value.
 *
 * @returns the place and what is wanted there, such as `/level: wants 1 to 19`; null when nothing is wrong
 * @throws Error when the schema says what is not known here
 */
export function findFault(schema: TSchema, value: unknown): string | null {
  return fault(schema as Plain, value, '');
}

function fault(schema: Plain, value: unknown, at: string): string | null {
  const strange = Object.keys(schema).find((word) => !WORDS.has(word));
  if (strange) throw new Error(`a schema says ${strange}, which is not checked here`);
  if (schema.enum) return schema.enum.includes(value) ? null : `${at}: wants one of ${schema.enum.join(', ')}`;
  switch (schema.type) {
    case 'object':
      return objectFault(schema, value, at);
    case 'array':
      return arrayFault(schema, value, at);
    case 'string':
      return stringFault(schema, value, at);
    case 'integer':
      return integerFault(schema, value, at);
    default:
      throw new Error(`a schema is of type ${schema.type}, which is not checked here`);
  }
}

function objectFault({ properties = {}, required = [] }: Plain, value: unknown, at: string): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${at}: wants an object`;
  for (const [name, schema] of Object.entries(properties)) {
    if (Object.hasOwn(value, name)) {
      const found = fault(schema, value[name as keyof typeof value], `${at}/${name}`);
      if (found) return found;
    } else if (required.includes(name)) return `${at}/${name}: is missing`;
  }
  return null;
}

function arrayFault({ items, maxItems = Number.POSITIVE_INFINITY }: Plain, value: unknown, at: string): string | null {
  if (!Array.isArray(value)) return `${at}: wants a list`;
  if (value.length > maxItems) return `${at}: wants ${maxItems} at most`;
  for (const [i, item] of value.entries()) {
    const found = items ? fault(items, item, `${at}/${i}`) : null;
    if (found) return found;
  }
  return null;
}

function stringFault({ pattern, minLength = 0, maxLength }: Plain, value: unknown, at: string): string | null {
  if (typeof value !== 'string') return `${at}: wants text`;
  if (value.length < minLength) return `${at}: wants ${minLength} characters or more`;
  if (value.length > (maxLength ?? Number.POSITIVE_INFINITY)) return `${at}: wants ${maxLength} characters at most`;
  return pattern && !new RegExp(pattern, 'u').test(value) ? `${at}: wants ${pattern}` : null;
}

function integerFault({ minimum, maximum }: Plain, value: unknown, at: string): string | null {
  if (!Number.isInteger(value)) return `${at}: wants a whole number`;
  const number = value as number;
  if (number >= (minimum ?? Number.NEGATIVE_INFINITY) && number <= (maximum ?? Number.POSITIVE_INFINITY)) return null;
  if (maximum === undefined) return `${at}: wants ${minimum} or more`;
  return minimum === undefined ? `${at}: wants ${maximum} or less` : `${at}: wants ${minimum} to ${maximum}`;
}
