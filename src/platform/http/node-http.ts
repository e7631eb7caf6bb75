/**
 * Node's HTTP server. An import of `node:http` reads all that the module exports, and so loads Node's fetch and WebSocket
 * clients: 13 MB and 40 ms of every start, for nothing.
 */
export const { createServer } = process.getBuiltinModule('node:http');
