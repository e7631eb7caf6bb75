import { text } from 'node:stream/consumers';

/**
 * Asks for a password on the terminal without showing it; without a terminal, reads it from standard input.
 *
 * @throws Error when it is broken off
 */
export async function askPassword(question: string): Promise<string> {
  return (await askPasswords([question]))[0];
}

/**
 * Asks for several passwords, one after another; without a terminal, each is a line of standard input.
 *
 * @param set whether the last one is to be set: a terminal asks for it twice, since nobody sees what is typed
 * @throws Error when it is broken off, the two differ, or standard input has fewer lines
 */
export async function askPasswords(questions: readonly string[], { set = false } = {}): Promise<string[]> {
  const { stdin } = process;
  if (!stdin.isTTY) {
    const lines = (await text(stdin)).split(/\r?\n/);
    if (lines.length < questions.length) {
      throw new Error(`standard input has ${lines.length} lines, wanted ${questions.length}: one for each password`);
    }
    return lines.slice(0, questions.length);
  }
  const answers: string[] = [];
  for (const question of questions) answers.push(await askHidden(question));
  if (set && (await askHidden('Once more: ')) !== answers.at(-1)) {
    throw new Error('the two passwords differ: nothing is changed');
  }
  return answers;
}

async function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  let typed = '';
  try {
    for await (const part of stdin.iterator({ destroyOnReturn: false })) {
      for (const key of part as string) {
        if (key === '\r' || key === '\n') return typed;
        if (key === '\u0003' || key === '\u0004') throw new Error('broken off');
        if (key === '\u007f' || key === '\b') typed = typed.slice(0, -1);
        else typed += key;
      }
    }
    return typed;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}
