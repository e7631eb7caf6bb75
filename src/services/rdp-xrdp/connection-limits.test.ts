import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionLimits, type Place } from './connection-limits.ts';

const take = (limits: ConnectionLimits, address: string, turnAway = () => {}): Place => {
  const place = limits.take(address, turnAway);
  assert.notEqual(typeof place, 'string', String(place));
  return place as Place;
};

test('places are given back', () => {
  const limits = new ConnectionLimits({ connections: 2, handshakes: 2, perAddress: 2, handshakesPerAddress: 2 });
  const places = [take(limits, 'a'), take(limits, 'b')];
  assert.match(String(limits.take('c', () => {})), /2 connections are open/);
  places[0].released();
  places[0].released();
  assert.deepEqual([limits.connections, limits.handshakes], [1, 1]);
  take(limits, 'c');
});

test('admission frees a place among the handshakes', () => {
  const limits = new ConnectionLimits({ connections: 9, handshakes: 1, perAddress: 9, handshakesPerAddress: 1 });
  const place = take(limits, 'a');
  assert.match(String(limits.take('b', () => {})), /wait to be admitted/);
  place.admitted();
  take(limits, 'b');
});

test('one address does not use up the places of others', () => {
  const limits = new ConnectionLimits({ connections: 9, handshakes: 9, perAddress: 2, handshakesPerAddress: 1 });
  take(limits, 'a').admitted();
  take(limits, 'a');
  assert.match(String(limits.take('a', () => {})), /of this address are open/);
  take(limits, 'b');
  assert.match(String(limits.take('b', () => {})), /of this address wait/);
});

test('whoever holds a /64 of IPv6 is one client', () => {
  const limits = new ConnectionLimits({ connections: 9, handshakes: 9, perAddress: 9, handshakesPerAddress: 1 });
  take(limits, '2001:db8:1:2::1');
  assert.match(String(limits.take('2001:db8:1:2:ffff::2', () => {})), /of this address wait/);
  take(limits, '2001:db8:1:3::1').released();
});

test('an address that holds many places gives way, oldest first, to others that have fewer', () => {
  const limits = new ConnectionLimits({ connections: 9, handshakes: 3, perAddress: 9, handshakesPerAddress: 9 });
  const turnedAway: number[] = [];
  const many = [0, 1, 2].map((i) => take(limits, 'a', () => turnedAway.push(i)));
  take(limits, 'b');
  assert.deepEqual(turnedAway, [0]);
  assert.deepEqual([limits.connections, limits.handshakes], [3, 3]);
  assert.match(String(limits.take('a', () => {})), /3 connections wait/, 'not to itself');
  assert.match(String(limits.take('b', () => {})), /3 connections wait/, 'nor to who would have as many');
  many[1].admitted();
  take(limits, 'c');
  assert.deepEqual(turnedAway, [0], 'who is admitted is not turned away');
  many[0].released();
  assert.equal(limits.connections, 4);
});
