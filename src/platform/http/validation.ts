import AjvCompiler from '@fastify/ajv-compiler';
import type { FastifySchemaCompiler } from 'fastify';

type Validator = ReturnType<FastifySchemaCompiler<unknown>>;

function compiler(coerceTypes: boolean): FastifySchemaCompiler<unknown> {
  return AjvCompiler()(
    {},
    {
      customOptions: {
        removeAdditional: false,
        coerceTypes,
        // Defaults inside unions are documentation: Ajv cannot apply them, the service does.
        strictSchema: false,
        // Contracts are constants, and a test checks them: a start need not do it again.
        validateSchema: false,
      },
    },
  ) as unknown as FastifySchemaCompiler<unknown>;
}

/** For all services of the process. JSON has types of its own; what stands in a URL or a header is text. */
const compile = { json: compiler(false), text: compiler(true) };

/** Validates one part of a request. Its schema is compiled when it is first needed: a start needs few of them. */
export const compileLazily: FastifySchemaCompiler<unknown> = (part) => {
  let compiled: Validator | undefined;
  const validate: Validator = (value) => {
    compiled ??= (part.httpPart === 'body' ? compile.json : compile.text)(part);
    const result = compiled(value);
    validate.errors = compiled.errors ?? null;
    return result;
  };
  return validate;
};
