// What the page does beyond being read: finds operations, opens what a link leads to, sends requests.

const filter = document.getElementById('filter');
const token = document.getElementById('token');
const operations = [...document.querySelectorAll('.operation, .schema')];

/** Opens what the address names, so that links to operations and schemas show them. */
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName !== 'DETAILS') return;
  target.open = true;
  target.scrollIntoView();
}
addEventListener('hashchange', openTarget);
openTarget();

document.getElementById('controls').addEventListener('submit', (event) => event.preventDefault());
filter.addEventListener('input', () => {
  const wanted = filter.value.trim().toLowerCase();
  for (const operation of operations) {
    const text = `${operation.id} ${operation.querySelector('summary').textContent}`.toLowerCase();
    operation.classList.toggle('hidden', !text.includes(wanted));
  }
  for (const section of document.querySelectorAll('section')) {
    section.classList.toggle('hidden', !section.querySelector('details:not(.hidden)'));
  }
});

/** The request that a form describes. */
function requestOf(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const input of form.querySelectorAll('input')) {
    if (input.dataset.in === 'path') path = path.replace(`{${input.name}}`, encodeURIComponent(input.value));
    else if (input.value !== '') query.set(input.name, input.value);
  }
  const body = form.querySelector('textarea')?.value;
  const headers = {
    ...(token.value && { authorization: `Bearer ${token.value}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  return { url: query.size > 0 ? `${path}?${query}` : path, init: { method: form.dataset.method, headers, body } };
}

/** An answer as text: its status, the headers that tell of allowances, and what came. */
async function describe(response) {
  const kept = ['content-type', 'ratelimit', 'retry-after'].filter((name) => response.headers.has(name));
  const headers = kept.map((name) => `${name}: ${response.headers.get(name)}`);
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  const bytes = isJson ? null : (await response.arrayBuffer()).byteLength;
  const body = isJson ? JSON.stringify(await response.json(), null, 2) : `${bytes} bytes`;
  return [`${response.status} ${response.statusText}`, ...headers, '', body].join('\n');
}

for (const form of document.querySelectorAll('.try')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const shown = document.createElement('pre');
    form.querySelector('output').replaceChildren(shown);
    shown.textContent = '…';
    const { url, init } = requestOf(form);
    try {
      shown.textContent = await describe(await fetch(url, init));
    } catch (error) {
      shown.textContent = String(error);
    }
  });
}
