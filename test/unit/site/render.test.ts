import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { countedRoutesOf } from '../../../supervisor/site/counted-routes.ts'
import type { NginxModel } from '../../../supervisor/site/model.ts'
import { renderNginx } from '../../../supervisor/site/render.ts'
import { frontModels } from './nginx-models/front-models.ts'
import { plainModel } from './nginx-models/plain-model.ts'
import { protocolModels } from './nginx-models/protocol-models.ts'
import { routeModels } from './nginx-models/route-models.ts'
import { serverModels } from './nginx-models/server-models.ts'
import { tlsModels } from './nginx-models/tls-models.ts'
import { workerModels } from './nginx-models/worker-models.ts'

const folder = join(import.meta.dirname, 'golden')
const schemaFile = join(import.meta.dirname, '../../../docs/reference/monohull.schema.json')

const models: Record<string, NginxModel> = {
  ...serverModels,
  ...tlsModels,
  ...workerModels,
  ...protocolModels,
  ...routeModels,
  ...frontModels,
}

function renderAll(model: NginxModel): string {
  return [...renderNginx(model)].map(([name, text]) => `# ---- ${name}\n${text}`).join('\n')
}

const topKeys = new Set(Object.keys(JSON.parse(readFileSync(schemaFile, 'utf8')).properties))

/**
 * Lines outside of any block, but for those above the first comment, that no comment stands above with nothing but such lines
 * in between; and comments that name no key.
 */
function findUnexplained(text: string): string[] {
  const found: string[] = []
  let state: 'always' | 'explained' | 'unexplained' = 'always'
  let depth = 0
  for (const line of text.split('\n')) {
    if (depth === 0 && line.startsWith('# ')) {
      state = 'explained'
      const keys = line.slice(2).replace(/:.*/, '').split(', ')
      found.push(...keys.filter(key => !topKeys.has(key.replace(/[.[].*/, ''))))
    } else if (line === '') state = state === 'always' ? state : 'unexplained'
    else if (depth === 0 && state === 'unexplained') found.push(line)
    depth += (line.match(/\{/g)?.length ?? 0) - (line.match(/\}/g)?.length ?? 0)
  }
  return found
}

describe('site/render', () => {
  for (const [name, model] of Object.entries(models)) {
    it(`renders ${name} as golden/${name}.conf`, () => {
      const file = join(folder, `${name}.conf`)
      const rendered = renderAll(model)
      if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, rendered)
      assert.equal(rendered, readFileSync(file, 'utf8'), 'see the difference; UPDATE_GOLDEN=1 accepts it')
    })
  }

  it('has no unused golden file', () => {
    assert.deepEqual(
      readdirSync(folder).sort(),
      Object.keys(models)
        .map(name => `${name}.conf`)
        .sort(),
    )
  })

  for (const [name, model] of Object.entries(models)) {
    it(`shows which keys produced which lines of ${name}`, () => {
      const unexplained = [...renderNginx(model)].flatMap(([file, text]) =>
        file.startsWith('rendered/') && file.endsWith('.conf') ? findUnexplained(text) : [],
      )
      assert.deepEqual(unexplained, [])
    })
  }

  it('counts every request when it has ended: nginx knows those that are open by their memory', () => {
    const counts =
      /log_by_lua_block \{ require\("monohull\.(requests"\)\.finish|worker"\)\.log(_page)?|route_address"\)\.log)\(/
    for (const model of Object.values(models).filter(({ requestCounter }) => requestCounter)) {
      const phases = renderAll(model)
        .split('\n')
        .filter(line => line.includes('log_by_lua'))
      assert.deepEqual(
        phases.filter(line => !counts.test(line)),
        [],
      )
    }
  })

  it('counts under ids that the supervisor knows', () => {
    for (const model of Object.values(models).filter(({ requestCounter }) => requestCounter)) {
      const ids = renderAll(model).matchAll(/\$monohull_(?:route|own_id) (?:(R\w+);|\{[^}]*"(R\w+)"\) \})/g)
      const found = new Set([...ids].map(([, set, begun]) => set ?? begun))
      assert.deepEqual([...found].sort(), [...countedRoutesOf(model).keys()].sort())
    }
  })

  it('depends only on the model', () => assert.equal(renderAll(plainModel), renderAll(structuredClone(plainModel))))

  it('proxies only to workers, and responds with 503 if there are none', () => {
    assert.match(renderAll(plainModel), /proxy_pass http:\/\/\$monohull_upstream_app;/)
    const down = renderAll(models['pool-down'] ?? assert.fail())
    assert.doesNotMatch(down, /app_app|upstream \w+ \{/)
    assert.match(down, /location \/ \{\n {4}return 503;/)
    assert.match(down, /Retry-After/)
  })

  it('keeps host, path and query in the redirect, with the port that clients see', () => {
    assert.match(renderAll(plainModel), /return 308 https:\/\/\$host\$request_uri;/)
    assert.match(renderAll({ ...plainModel, publicHttpsPort: 8443 }), /return 308 https:\/\/\$host:8443\$request_uri;/)
  })

  it("includes the front's headers in every location with headers of its own", () => {
    for (const model of Object.values(models)) {
      const locations = renderAll(model).match(/location [^{]*\{\n( {4}.*\n)*\}/g) ?? []
      const own = locations.filter(text => text.includes('add_header '))
      assert.ok(own.length > 0)
      for (const text of own) assert.match(text, /include rendered\/headers(-\d+)?\.conf;/)
    }
  })

  it('serves health before the redirect and before the app', () => {
    const rendered = renderNginx(plainModel)
    for (const part of [rendered.get('rendered/http.conf'), rendered.get('rendered/site.conf')]) {
      for (const path of ['/healthz', '/readyz']) assert.match(part ?? '', new RegExp(`location = ${path} \\{`))
    }
  })
})
