import { type Document, type Operation, type Parameter, refName } from './document.ts';
import { type Html, html } from './html.ts';
import { exampleOf, fieldRow, schemaView, typeOf } from './schema-view.ts';

export interface PlacedOperation {
  method: string;
  path: string;
  operation: Operation;
}

const JSON_TYPE = 'application/json';

function parametersOf(operation: Operation, document: Document): Parameter[] {
  return operation.parameters.map((parameter) =>
    '$ref' in parameter ? document.components.parameters[refName(parameter.$ref)] : parameter,
  );
}

function accessLine({ security, 'x-roles': roles, 'x-rate-limit': rate }: Operation): Html {
  if (security.length === 0) return html`<p class="access">Anyone, no token${rate && html` · counted as ${rate}`}</p>`;
  const [scope] = security[0].token;
  return html`<p class="access">
${roles?.join(', ')} · ${scope ? html`scope <code>${scope}</code>` : 'by log-in only'}${rate && html` · counted as ${rate}`}
</p>`;
}

/** A command that does the same. */
function curlOf({ method, path, operation }: PlacedOperation, body: string | null): string {
  const upload = operation.requestBody && body === null;
  return [
    `curl${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} "$LUCID_URL${path}"`,
    ...(operation.security.length > 0 ? ['-H "Authorization: Bearer $LUCID_TOKEN"'] : []),
    ...(body === null ? [] : [`-H 'Content-Type: ${JSON_TYPE}'`, `-d '${body}'`]),
    ...(upload ? ["-H 'Content-Type: application/octet-stream'", '--data-binary @FILE'] : []),
  ].join(' \\\n  ');
}

/** A form that sends the request from the page: what it sends is what the page's script finds in it. */
function tryForm({ method, path, operation }: PlacedOperation, parameters: Parameter[], body: string | null): Html {
  if (operation.requestBody && body === null) return html``;
  const inputs = parameters
    .filter((parameter) => parameter.in !== 'header')
    .map(
      ({ name, in: place, required }) => html`<label>${name}
<input name="${name}" data-in="${place}"${required && html` required`} autocomplete="off"></label>`,
    );
  return html`<form class="try" data-method="${method.toUpperCase()}" data-path="${path}">
${inputs}
${body !== null && html`<label class="wide">body<textarea name="body" rows="6" spellcheck="false">${body}</textarea></label>`}
<button>Send</button><output></output>
</form>`;
}

function responsesOf(operation: Operation, document: Document): Html {
  const rows = Object.entries(operation.responses).map(([status, response]) => {
    const told = '$ref' in response ? document.components.responses[refName(response.$ref)] : response;
    return html`<tr><th scope="row"><code>${status}</code></th><td>${told.description}</td></tr>`;
  });
  return html`<details class="statuses"><summary>Statuses</summary>
<table class="fields"><tbody>${rows}</tbody></table></details>`;
}

export function operationView(placed: PlacedOperation, document: Document): Html {
  const { method, path, operation } = placed;
  const parameters = parametersOf(operation, document);
  const request = operation.requestBody?.content[JSON_TYPE]?.schema;
  const body = request ? JSON.stringify(exampleOf(request, document), null, 2) : null;
  const [[media, answer]] = Object.entries((operation.responses[200] as { content: object }).content);
  return html`<details class="operation" id="${operation.operationId}">
<summary><span class="method ${method}">${method}</span> <code>${path}</code> <span class="words">${operation.summary}</span></summary>
<div class="inside">
${accessLine(operation)}
${
  parameters.length > 0 &&
  html`<h4>Parameters</h4><table class="fields"><tbody>${parameters.map((parameter) =>
    fieldRow(parameter.name, parameter.schema, parameter.required, parameter.description),
  )}</tbody></table>`
}
${request && html`<h4>Body${request.$ref && html` ${typeOf(request)}`}</h4>${!request.$ref && schemaView(request)}`}
${operation.requestBody && !request && html`<h4>Body</h4><p class="type">bytes</p>`}
<h4>Answer</h4>
${media === JSON_TYPE ? schemaView(answer.schema) : html`<p class="type">${media}</p>`}
${responsesOf(operation, document)}
<h4>As a command</h4><pre>${curlOf(placed, body)}</pre>
<h4>Try it</h4>${tryForm(placed, parameters, body)}
</div>
</details>`;
}
