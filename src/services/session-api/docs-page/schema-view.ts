import { type Document, refName, type Schema } from './document.ts';
import { type Html, html } from './html.ts';

/** Examples are not followed deeper than this: schemas may refer to themselves. */
const MAX_DEPTH = 8;

/** What kind of value a schema wants, in a word or two. */
export function typeOf(schema: Schema): Html {
  if (schema.$ref) {
    const name = refName(schema.$ref);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  if (schema.enum) return html`${schema.enum.map((value) => JSON.stringify(value)).join(' | ')}`;
  if (schema.const !== undefined) return html`${JSON.stringify(schema.const)}`;
  if (schema.anyOf) return html`${schema.anyOf.map((variant, i) => [i > 0 && ' | ', typeOf(variant)])}`;
  if (schema.type === 'array' && schema.items) return html`${typeOf(schema.items)}[]`;
  if (schema.patternProperties) return html`map of ${Object.values(schema.patternProperties).map(typeOf)}`;
  return html`${schema.format ?? schema.type ?? 'anything'}`;
}

/** What else a value must be, in words. */
function limitsOf(schema: Schema): string {
  const {
    minimum,
    maximum,
    minLength,
    maxLength,
    minItems,
    maxItems,
    maxProperties,
    pattern,
    default: fallback,
  } = schema;
  const range = (least: number | undefined, most: number | undefined, what: string) => {
    if (least === undefined && most === undefined) return [];
    if (least === undefined) return [`at most ${most}${what}`];
    return [most === undefined ? `${least}${what} or more` : `${least} to ${most}${what}`];
  };
  return [
    ...range(minimum, maximum, ''),
    ...range(minLength, maxLength, ' characters'),
    ...range(minItems, maxItems, ' items'),
    ...range(undefined, maxProperties, ' entries'),
    ...(pattern && schema.description !== 'UUIDv7' ? [`matches ${pattern}`] : []),
    ...(fallback !== undefined ? [`${JSON.stringify(fallback)} unless given`] : []),
  ].join('; ');
}

/** One row of a table of fields or parameters. */
export function fieldRow(name: string, schema: Schema, isRequired: boolean, description?: string): Html {
  const words = description ?? (schema.description === 'UUIDv7' ? undefined : schema.description);
  const limits = limitsOf(schema);
  return html`<tr>
<th scope="row"><code>${name}</code>${isRequired ? html`<b title="required">*</b>` : ''}</th>
<td class="type">${schema.description === 'UUIDv7' ? 'UUIDv7' : typeOf(schema)}</td>
<td>${words}${limits && html`<small>${words && html`<br>`}${limits}</small>`}</td>
</tr>`;
}

/** A schema's fields as a table; what is no object in a line. */
export function schemaView(schema: Schema): Html {
  if (schema.$ref || !schema.properties || Object.keys(schema.properties).length === 0) {
    return html`<p class="type">${schema.properties ? 'nothing: {}' : typeOf(schema)}</p>`;
  }
  const rows = Object.entries(schema.properties).map(([name, property]) =>
    fieldRow(name, property, schema.required?.includes(name) === true),
  );
  return html`<table class="fields"><tbody>${rows}</tbody></table>`;
}

/** A value that a schema might take, for a request to begin with: required fields only. */
export function exampleOf(schema: Schema, document: Document, depth = 0): unknown {
  if (depth > MAX_DEPTH) return null;
  const { type, properties, required = [], items, anyOf, format, minimum, minItems } = schema;
  if (schema.$ref) return exampleOf(document.components.schemas[refName(schema.$ref)], document, depth + 1);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.default !== undefined) return schema.default;
  if (anyOf) return exampleOf(anyOf[0], document, depth + 1);
  if (type === 'object') {
    const wanted = Object.entries(properties ?? {}).filter(([name]) => required.includes(name));
    return Object.fromEntries(wanted.map(([name, property]) => [name, exampleOf(property, document, depth + 1)]));
  }
  if (type === 'array') return minItems ? [exampleOf(items!, document, depth + 1)] : [];
  if (type === 'integer' || type === 'number') return minimum ?? 0;
  if (type === 'boolean') return true;
  return format === 'date-time' ? '2026-11-20T12:00:00Z' : '';
}
