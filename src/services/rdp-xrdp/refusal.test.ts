import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceError } from '#contract/errors.ts';
import { NegotiationFailure } from '#rdp/sequence/sequence-error.ts';
import { refusalNotice, sentence } from './refusal.ts';
import { ServerLegError } from './server-leg.ts';

test('what a person may know is shown, as a sentence', () => {
  assert.deepEqual(refusalNotice(new ServiceError('ticket_refused', 'this ticket has expired')), {
    title: 'The ticket was not accepted',
    text: 'This ticket has expired.',
  });
  assert.deepEqual(refusalNotice(new ServerLegError('the server cannot be reached: ECONNREFUSED')), {
    title: 'The server cannot be used',
    text: 'The server cannot be reached: ECONNREFUSED.',
  });
  assert.match(refusalNotice(new NegotiationFailure(5)).text, /requires network level authentication/);
});

test('what went wrong inside is not', () => {
  for (const error of [new TypeError('x is undefined'), new ServiceError('internal', 'details'), 'a string']) {
    assert.match(refusalNotice(error).text, /^Something failed on our side/);
  }
});

test('a sentence keeps the end that it has', () => {
  assert.equal(sentence('try again!'), 'Try again!');
  assert.equal(sentence(''), '.');
});
