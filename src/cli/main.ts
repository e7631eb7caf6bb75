import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Before any other module is loaded: a second start reads compiled code from the cache. It lies where only this user can
// write, for what is read from there is run.
const { directory } = enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lucid'));
// Worker threads are told by the environment. Without it each loads a TypeScript compiler, which takes 30 MB.
if (directory) process.env.NODE_COMPILE_CACHE = directory;
const { run } = await import('./program.ts');
await run(process.argv);
