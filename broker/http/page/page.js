// The page at /docs: reads openapi.json and makes a form of every path. No library; loads nothing from elsewhere.

/** Most characters of an answer that stay on the page: a stream has no end. */
const MAX_SHOWN = 200_000;

/** An element with attributes, listeners (`onclick`) and children. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made[key] = value;
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

/** Text in which what stands between backticks is code. */
function prose(text) {
  return text.split('`').map((part, index) => (index % 2 === 0 ? part : element('code', {}, part)));
}

function show(openApi) {
  document.getElementById('about').replaceChildren(openApi.info.description + ' As an OpenAPI document: ');
  document.getElementById('about').append(element('a', { href: 'openapi.json' }, 'openapi.json'));
  const paths = document.getElementById('paths');
  for (const tag of openApi.tags) {
    const section = element('section', {}, element('h2', {}, tag.name), element('p', {}, ...prose(tag.description)));
    for (const [path, methods] of Object.entries(openApi.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.tags.includes(tag.name)) section.append(card(method.toUpperCase(), path, operation));
      }
    }
    paths.append(section);
  }
}

function card(method, path, operation) {
  const head = element(
    'summary',
    {},
    element('b', {}, method),
    element('code', {}, path),
    element('span', {}, ...prose(operation.summary)),
  );
  const made = element('details', { id: operation.operationId }, head);
  // A form is made when it is looked at: there are many, and most never are.
  made.ontoggle = () => {
    if (made.open && made.children.length === 1) made.append(form(method, path, operation));
  };
  return made;
}

function form(method, path, operation) {
  const inputs = operation.parameters.map(parameter => ({ parameter, input: parameterInput(parameter) }));
  const accepts = choice('accept', Object.keys(Object.values(operation.responses)[0].content ?? {}));
  const bodyTypes = operation.requestBody?.content;
  const type = choice('content-type', Object.keys(bodyTypes ?? {}));
  const body = bodyTypes && element('textarea', { name: 'body', rows: 8, spellcheck: 'false' });
  if (body) {
    const fill = () => (body.value = exampleText(bodyTypes[type.value].example));
    type.onchange = fill;
    fill();
  }
  const status = element('small', { class: 'wide status' });
  const output = element('pre', { class: 'wide output' });
  const stop = element('button', { type: 'button', class: 'stop', disabled: true }, 'Stop');
  const made = element('form', {});
  for (const { parameter, input } of inputs) {
    made.append(element('label', {}, parameter.name), element('div', {}, input, note(parameter)));
  }
  if (body) made.append(element('label', {}, 'content-type'), type, element('label', {}, 'body'), body);
  if (accepts.options.length > 1) made.append(element('label', {}, 'accept'), accepts);
  made.append(
    element('div', { class: 'wide' }, element('button', { class: 'send' }, 'Send'), ' ', stop),
    status,
    output,
  );
  made.onsubmit = event => {
    event.preventDefault();
    const headers = { accept: accepts.value || 'application/json' };
    if (body) headers['content-type'] = type.value;
    const url = urlOf(path, inputs, headers);
    void send({ method, url, headers, body: body?.value }, { status, output, stop });
  };
  return made;
}

function parameterInput({ name, schema, required }) {
  if (schema.enum) return choice(name, schema.enum, schema.default);
  const given = required && schema.default !== undefined ? String(schema.default) : '';
  return element('input', { name, value: given, required, placeholder: String(schema.default ?? '') });
}

function choice(name, values, chosen) {
  const options = values.map(value => element('option', { selected: value === chosen }, value));
  return element('select', { name }, ...options);
}

function note({ description, in: place }) {
  return element('small', {}, ...prose(`${description} (${place})`));
}

function exampleText(example) {
  if (example === undefined) return '';
  return typeof example === 'string' ? example : JSON.stringify(example, null, 2);
}

/** The path with its parameters in place, relative to this page. Header parameters go into `headers`. */
function urlOf(path, inputs, headers) {
  const query = new URLSearchParams();
  let filled = path;
  for (const { parameter, input } of inputs) {
    const { name, in: place, schema } = parameter;
    if (place === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (input.value === '' || input.value === schema.default) continue;
    else if (place === 'query') query.set(name, input.value);
    else headers[name] = input.value;
  }
  const text = query.toString();
  return `.${filled}${text === '' ? '' : `?${text}`}`;
}

async function send({ method, url, headers, body }, { status, output, stop }) {
  const leave = new AbortController();
  output.textContent = '';
  status.textContent = `${method} ${url} …`;
  stop.disabled = false;
  stop.onclick = () => leave.abort();
  try {
    const answer = await fetch(url, { method, headers, body, signal: leave.signal });
    status.textContent = `${answer.status} ${answer.headers.get('content-type') ?? ''}`;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      output.textContent = (output.textContent + piece.value).slice(-MAX_SHOWN);
    }
    output.textContent = pretty(output.textContent);
  } catch (error) {
    status.textContent += leave.signal.aborted ? ' (stopped)' : ` ${error}`;
  }
  stop.disabled = true;
}

/** JSON with indents; anything else as it is. */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

document.getElementById('filter').oninput = event => {
  const wanted = event.target.value.toLowerCase();
  for (const shown of document.querySelectorAll('details')) {
    shown.hidden = !shown.firstChild.textContent.toLowerCase().includes(wanted);
  }
};

fetch('openapi.json')
  .then(answer => answer.json())
  .then(show)
  .catch(error => (document.getElementById('about').textContent = `The paths could not be read: ${error}`));
