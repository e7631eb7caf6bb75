import AjvCompiler from '@fastify/ajv-compiler';
import type { FastifySchemaCompiler } from 'fastify';

type Validator = ReturnType<FastifySchemaCompiler<unknown>>;

/** One Ajv for all services of the process. */
const compile = AjvCompiler()(
  {},
  {
    customOptions: {
      removeAdditional: false,
      coerceTypes: true,
      // Defaults inside unions are documentation: Ajv cannot apply them, the service does.
      strictSchema: false,
      // Contracts are constants, and a test checks them: a start need not do it again.
      validateSchema: false,
    },
  },
) as unknown as FastifySchemaCompiler<unknown>;

/** Validates one part of a request. Its schema is compiled when it is first needed: a start needs few of them. */
export const compileLazily: FastifySchemaCompiler<unknown> = (part) => {
  let compiled: Validator | undefined;
  const validate: Validator = (value) => {
    compiled ??= compile(part);
    const result = compiled(value);
    validate.errors = compiled.errors ?? null;
    return result;
  };
  return validate;
};
