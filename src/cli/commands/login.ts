import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('login')
    .description('log in; the password is asked for, or read from standard input')
    .argument('[name]', 'user name', 'admin')
    .option('--url <url>', 'the API, e.g. https://lucid.example:8087; else LUCID_URL, or this machine')
    .option('--json', 'print the token instead of keeping it')
    .action(async (name: string, options: { url?: string; json?: boolean }) => {
      const [{ openApiAsNobody }, { apiUrl, saveCredentials }, { askPassword }, { printJson }] = await Promise.all([
        import('../api.ts'),
        import('../credentials.ts'),
        import('../prompt.ts'),
        import('../output.ts'),
      ]);
      const url = options.url?.replace(/\/+$/, '') ?? apiUrl();
      const password = await askPassword(`Password of ${name} at ${url}: `);
      const { token, expires_at, user } = await openApiAsNobody(url).logIn({ body: { name, password } });
      if (options.json) {
        printJson({ url, token, expires_at, user });
        return;
      }
      const file = saveCredentials({ url, token, expires_at, user: user.name });
      process.stdout.write(`Logged in at ${url} as ${user.name} (${user.role}) until ${expires_at}; kept in ${file}\n`);
    });
}
