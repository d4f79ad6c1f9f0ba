import { createHash } from 'node:crypto'
import type { Exchange } from './exchange.ts'
import { type Html, html } from './html.ts'
import { style } from './style.ts'

const styleHash = createHash('sha256').update(style).digest('base64')

/** Policy that allows only the page's style sheet and its icon. */
export const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** Style sheet as trusted markup: its quotes must reach the browser unescaped. */
const styleSheet: Html = { markup: `<style>${style}</style>` }
const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32' fill='%230b6bcb'%3E%3Cpath d='M15 3v15H5zM17 7v11h9zM2 20h28l-5 9H8z'/%3E%3C/svg%3E"

/** Headers that nginx sets for the app, never a visitor. */
const ofNginx =
  /^(forwarded|traceparent|tracestate|x-(forwarded-(for|proto|host|port|server)|real-ip|request-(id|start)|ssl-(protocol|cipher|server-name)))$/
const longestValue = 240

/** Complete HTML page without scripts or external resources. */
export function renderPage(exchange: Exchange): string {
  const name = exchange.monohull?.worker ?? 'Your app'
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${name} responded · Monohull</title>
<link rel="icon" href="${icon}">
${styleSheet}
</head>
<body>
<header><svg viewBox="0 0 32 32" aria-hidden="true"><path d="M15 3v15H5zM17 7v11h9zM2 20h28l-5 9H8z"/></svg>Monohull
<nav><a href="api/worker">As JSON</a><a href="">Reload</a></nav></header>
<main>
<div>${exchange.monohull ? greeting(exchange.monohull) : plainGreeting}</div>
${route(exchange)}
<div class="cols">
<section class="card" aria-labelledby="next"><h2 id="next">Run your own app</h2>${nextSteps}</section>
<section class="card" aria-labelledby="headers"><h2 id="headers">Request headers</h2>${headerTable(exchange)}</section>
</div>
</main>
</body>
</html>
`.markup
}

function greeting({ worker, slot, workers }: NonNullable<Exchange['monohull']>): Html {
  const place = slot && workers ? html`, worker ${slot} of ${workers}` : ''
  return html`<h1><em>${worker}</em> responded.</h1>
<p class="lead">Monohull is running: this is its example app${place}.${(workers ?? 1) > 1 ? ' Reload the page, and another worker may respond.' : ''}</p>`
}

const plainGreeting = html`<h1>Running <em>without</em> Monohull.</h1>
<p class="lead">This process was started directly: one worker, no HTTPS, no restart after a crash. Start it with <code>monohull run</code>.</p>`

/** Path of the request, from the visitor to this process. */
function route(exchange: Exchange): Html {
  const { client, monohull, pid, uptimeSeconds, requests, node, httpVersion } = exchange
  const worker = html`<li class="stop"><span>${monohull ? 'Worker' : 'Process'}</span><b>${monohull?.worker ?? 'node'}</b>
<span>pid ${pid} · up ${inWords(uptimeSeconds)} · ${requests} ${requests === 1 ? 'request' : 'requests'} · Node ${node.replace(/^v/, '')}</span></li>`
  const visitor = html`<li class="stop"><span>Visitor</span><b>${client.address ?? 'unknown'}</b><span>requested ${client.host ?? 'no host'}</span></li>`
  if (!monohull)
    return html`<ol class="route direct">${visitor}<li class="hop"><b>HTTP/${httpVersion}</b>not encrypted</li>${worker}</ol>`
  return html`<ol class="route">${visitor}
${client.protocol === 'https' ? html`<li class="hop"><b>HTTPS</b>${exchange.tls?.protocol ?? 'TLS'}</li>` : html`<li class="hop"><b>HTTP</b>not encrypted</li>`}
<li class="stop"><span>nginx</span>${certificate(exchange)}</li>
<li class="hop"><b>HTTP/${httpVersion}</b>inside</li>
${worker}</ol>`
}

function certificate({ tls }: Exchange): Html {
  if (!tls) return html`<b>No certificate</b><span>this request came over plain HTTP</span>`
  const name = tls.serverName ? html`Certificate for ${tls.serverName}` : html`Certificate`
  return html`<b>${name}</b><span>${tls.cipher ?? 'unknown cipher'}</span>
<span>Whether it is self-signed, only your browser can tell.</span>`
}

const nextSteps = html`
<p>A complete Dockerfile:</p>
<pre tabindex="0"><i>FROM</i> monohull
<i>COPY</i> . /app
<i>RUN</i> npm ci --omit=dev
<i>CMD</i> ["monohull", "run", "node", "server.js"]</pre>
<p>Build and run it:</p>
<pre tabindex="0">docker build -t my-app .
docker run -p 80:80 -p 443:443 my-app</pre>
<p>Or without Docker, in your app’s directory:</p>
<pre tabindex="0">monohull run node server.js</pre>
<p><code>app.listen(3000)</code> stays as it is. Certificates go into <code>/certs</code>.</p>`

function headerTable({ headers, monohull }: Exchange): Html {
  const all = Object.entries(headers)
  const isAdded = ([name]: [string, string]) => monohull !== null && ofNginx.test(name)
  const sent = headerGroup(
    'Sent by your browser',
    all.filter(header => !isAdded(header)),
  )
  const added = headerGroup('Added by nginx', all.filter(isAdded))
  return html`<div class="scroll" tabindex="0" role="region" aria-labelledby="headers"><table>${added}${sent}</table></div>`
}

function headerGroup(title: string, headers: [string, string][]): Html {
  if (headers.length === 0) return html``
  const rows = headers.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${shortened(value)}</td></tr>`)
  return html`<tbody><tr><th colspan="2" scope="rowgroup">${title}</th></tr>${rows}</tbody>`
}

function shortened(value: string): string {
  return value.length > longestValue ? `${value.slice(0, longestValue)}…` : value
}

function inWords(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`
}
