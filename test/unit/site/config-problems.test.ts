import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatProblems } from '../../../supervisor/config/report.ts'
import { accepted, refused, refusedOnce, yaml } from './load-config.ts'

const wholeNumber = 'expected a whole number from 1 to 1024, auto, or {min: 2, max: 8}'

describe('config/load: invalid values', () => {
  for (const text of ['four', '0', '-1', '1.5', '', '4 ', '99999']) {
    it(`rejects MONOHULL_WORKERS=${JSON.stringify(text)}`, () => {
      const problem = refusedOnce({ env: { MONOHULL_WORKERS: text } })
      assert.equal(problem.key, 'app.workers')
      assert.equal(problem.source, 'MONOHULL_WORKERS')
      assert.equal(String(problem.value), text)
      assert.equal(problem.problem, wholeNumber)
      assert.equal(problem.fix, 'set app.workers to a whole number from 1 to 1024, auto, or {min: 2, max: 8}')
    })
  }

  const wrong: [string, string][] = [
    ['http_port: eighty', 'expected a port number'],
    ['http_port: 80.5', 'expected a whole port number'],
    ['https_port: 65536', 'expected a port from 0 to 65535'],
    ['https: maybe', 'expected redirect, on or off'],
    ['access_log: maybe', 'expected true, false or {fields, exclude_paths, redact, sample}'],
    ['stop_timeout: 9', 'expected a duration such as 500ms, 8s or 5m'],
    ['stop_timeout: 0s', 'expected a duration above zero'],
    ['run_dir: run', 'expected an absolute path outside /proc and /sys, without spaces, quotes, colons and $'],
    [
      'state_dir: /proc/state',
      'expected an absolute path outside /proc and /sys, without double quotes, backslashes, ;, {, } and $',
    ],
    ['bind_addresses: [localhost]', 'expected an IP address such as 127.0.0.1 or ::'],
    [
      'trusted_proxies: [10.0.0.0/33]',
      'expected an address or network such as 10.0.0.0/8 or ::1, cloudflare or private',
    ],
    ['trusted_proxies: [balancer]', 'expected an address or network such as 10.0.0.0/8 or ::1, cloudflare or private'],
    ['trusted_proxies: 10.0.0.1', 'expected a list'],
    ['bind_addresses: 127.0.0.1', 'expected a list'],
    ['health: { port: 80 }', 'expected a port other than http_port'],
    ['{ health: { port: 9 }, metrics: { port: 9 } }', 'expected a port other than health.port'],
    ['metrics: { port: 443 }', 'expected a port other than https_port'],
    ['{ metrics: { port: 9 }, admin: { port: 9 } }', 'expected a port other than metrics.port'],
    ['{ bind_addresses: [127.0.0.1], metrics: { port: 80 } }', 'expected a port other than http_port'],
    ['proxy_protocol: true', 'has no effect without trusted_proxies: anyone could send such a header'],
    ['headers: {Server: me}', 'expected another header: nginx or the app sets this one'],
    ['headers: {X-Cache: off}', 'expected another header: nginx or the app sets this one'],
    ['headers: {X-Y: a, x-y: b}', 'is the same header as X-Y'],
    ['headers: {"X Y": a}', 'expected the name of a header'],
    ['headers: {X-Y: "a$b"}', 'expected text without line breaks and $, or off'],
    ['headers: {X-Y: "a\\nb"}', 'expected text without line breaks and $, or off'],
    ['http3: yes please', 'expected true or false'],
    ['{http3: true, https: off}', 'has no effect with https: off, because HTTP/3 requires TLS'],
    [
      '{http3: true, proxy_protocol: true, trusted_proxies: ["::1"]}',
      'cannot be combined with proxy_protocol, which is for TCP',
    ],
    ['max_body_size: 10 mb', 'expected a size such as 512k, 10m or 1g, or off'],
    ['max_body_size: 10', 'expected a size such as 512k, 10m or 1g, or off'],
    ['rate_limit: 10', 'expected a rate such as 10/s, 60/m or 10/s burst=50'],
    ['rate_limit: 10/s burst', 'expected a rate such as 10/s, 60/m or 10/s burst=50'],
    ['connection_limit: 0', 'expected a whole number from 1 to 65535'],
    ['connection_limit: 65536', 'expected a whole number from 1 to 65535'],
    ['basic_auth: {realm: x}', 'has no effect without basic_auth.file'],
    [
      '{basic_auth: {file: x}, cache: {}}',
      'has no effect behind basic_auth: requests with a password are never served from the cache',
    ],
    ['basic_auth: {file: ""}', 'expected the path of an htpasswd file'],
    ['basic_auth: {file: x, realm: a"b}', 'expected text without quotes, $ and line breaks'],
    ['allow: [here]', 'expected an address or network such as 10.0.0.0/8 or ::1'],
    ['unknown_host: 404', 'expected serve, "421" or "444"'],
    ['unknown_host: 421', 'requires server_names: otherwise no host is known'],
    ['app: {command: [node, {a: 3}]}', 'expected text, in quotes if YAML would read another type'],
    ['unknown_host: "421"', 'requires server_names: otherwise no host is known'],
    ...[444, 499, 502].map((status): [string, string] => [
      `error_pages: {${status}: x.html}`,
      'expected a status from 400 to 501 that nginx itself produces, such as 404; for 502 to 504, set maintenance_page',
    ]),
    ['error_pages: {404: [1]}', 'expected the path of an HTML file'],
    ['cache: {ttl: 5}', 'expected a duration such as 500ms, 8s or 5m'],
    ['cache: {max_size: 0}', 'expected a size such as 512k, 256m or 4g'],
    ...['a', 'a b', '$', '$host$', '$$host', '#$host'].map((key): [string, string] => [
      `cache: {key: "${key}"}`,
      'expected text with nginx variables such as $host$request_uri',
    ]),
    ['cache: {cookies: eat}', 'expected bypass or ignore'],
    ['send_files: {/a/../: x}', 'expected a path that ends with a slash, such as /protected/'],
    ['send_files: {/private: x}', 'expected a path that ends with a slash, such as /protected/'],
    ['send_files: {/private/: [1]}', 'expected a directory'],
    ['{send_files: {/x/: x}, routes: [{path: /x, app: app}]}', 'is the path of a route'],
    ['compression: gzip', 'expected on, off or {brotli, min_length, types, skip_with_cookies}'],
    [
      'compression: {types: [text/event-stream]}',
      'expected other media types: server-sent events would wait in the compressor',
    ],
    ['server_names: ["a b"]', 'expected a host name such as www.example.com'],
    ['health: {live_path: healthz}', 'expected a path such as /healthz, or off'],
    ['app: {listen: tcp}', 'expected inherit or port'],
    ['app: {command: {a: 3}}', 'expected a list of words or one string'],
    ['app: {command: []}', 'expected at least the program'],
    ['app: {command: node a | tee}', 'contains the shell operator |'],
    ['app: {on_failure: ignore}', 'expected restart or exit'],
    ['app: {exit_after: {failures: 3}}', 'expected on_failure: exit beside it'],
    ['app: {on_failure: exit, exit_after: {failures: 0}}', 'expected a whole number from 1 to 1000'],
    ['run_dir: /tmp/a:b', 'expected an absolute path outside /proc and /sys, without spaces, quotes, colons and $'],
    ['app: {command: [""]}', 'expected a program as the first word'],
    ['app: {command: [node, "a\\0b"]}', 'expected words without a NUL character'],
    ['app: {workers: {min: -1, max: 4}}', 'expected a whole number from 0 to 1024'],
    ['app: {workers: {min: 0, max: 0}}', 'expected a whole number from 1 to 1024'],
    ['app: {workers: {min: 1, max: 4, idle: 10m}}', 'has an effect only with min: 0'],
    [
      'app: {listen: port, workers: {min: 0, max: 4}}',
      'expected at least 1 beside listen: port: requests cannot wait at a port without a program',
    ],
    ['app: {workers: {min: 2, max: many}}', 'expected a whole number from 1 to 1024'],
    ['app: {balance: random}', 'expected least_conn, round_robin, ip_hash or sticky'],
    ['app: {user: [1000]}', 'expected the name of a user'],
    ['server_names: example.com', 'expected a list of host names'],
  ]
  for (const [text, message] of wrong) {
    it(`rejects ${text}`, () => {
      const problem = refusedOnce(yaml(`# first line\n${text}\n`))
      assert.equal(problem.problem, message)
      assert.equal(problem.source, 'monohull.yaml:2')
      assert.notEqual(problem.value, undefined)
    })
  }

  it('names the section of a key', () => {
    const fixOf = (text: string) => refusedOnce(yaml(text)).fix
    assert.equal(fixOf('workers: 4'), 'did you mean app.workers?')
    assert.match(fixOf('app: {workers: {min: 2, max: 4, idle: 10m}}'), /^set min: 0, .*, or remove idle$/)
    assert.equal(fixOf('grace_timeout: 4s'), 'did you mean app.graceful_timeout?')
    // admin.port would open the status page there
    assert.match(fixOf('app: {port: 3000}'), /^known here: command, /)
    assert.match(fixOf('app: node server.js'), /^write app: \{command: …\}; known here: command, /)
    assert.match(fixOf('qqqqqq: 4'), /^known here: http_port, /)
  })

  it('prints the beginning of a long value', () => {
    const text = formatProblems(refused(yaml(`https: ${'x'.repeat(1e6)}`)))
    assert.ok(text.length < 1000, text.slice(0, 1000))
    assert.match(text, /x… \(1000002 characters\)/)
  })

  it('treats a key without a value as missing', () => {
    assert.equal(accepted(yaml('app:\n  # workers: 4\nhttps: off\n')).app.workers, 'auto')
  })

  it('rejects an alias bomb and unknown tags', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
    for (const [name, above] of ['ba', 'cb', 'dc', 'ed', 'fe'])
      bomb.push(`${name}: &${name} [${`*${above}, `.repeat(9)}]`)
    assert.match(refusedOnce(yaml(bomb.join('\n'))).problem, /^is not valid YAML: Excessive alias count/)
    assert.match(refusedOnce(yaml('app: !foo {workers: 3}')).problem, /^is not valid YAML: Unresolved tag/)
  })

  it('names unsupported YAML', () => {
    const document = refusedOnce(yaml('https: off\n---\nhttps: on'))
    assert.deepEqual(
      [document.source, document.problem, document.fix],
      [
        'monohull.yaml:2',
        'is not valid YAML: a second document begins here',
        'remove everything from the line with --- on',
      ],
    )
    const quoted = refusedOnce(yaml('apps:\n  app: &a {workers: 2}\n  b: {"<<": *a}'))
    assert.deepEqual(
      [quoted.key, quoted.source, quoted.problem],
      ['apps.b.<<', 'monohull.yaml:3', 'is not a known key'],
    )
  })

  it('shows the line of an invalid value from an alias or merge key', () => {
    const text =
      'apps:\n  app: &a\n    workers: 2\n    env: &e {A: [1]}\n  b: {env: *e}\n  c:\n    <<: [*a, {workers: 0}]'
    assert.deepEqual(
      refused(yaml(text)).map(({ key, source }) => [key, source]),
      ['app', 'b', 'c'].map(name => [`apps.${name}.env.A`, 'monohull.yaml:4']),
    )
    const own = refusedOnce(yaml('apps:\n  app: &a {workers: 2}\n  b:\n    <<: *a\n    workers: 0'))
    assert.deepEqual([own.key, own.source], ['apps.b.workers', 'monohull.yaml:5'])
    const unknown = refusedOnce(yaml('apps:\n  app: {workers: 2}\n  b:\n    <<: {\n      wrokers: 2 }'))
    assert.deepEqual([unknown.key, unknown.source], ['apps.b.wrokers', 'monohull.yaml:5'])
  })

  it('rejects a merge of a value without keys', () => {
    for (const value of ['3', '[1]', '*a']) {
      const merge = refusedOnce(yaml(`server_names: &a [x.test]\napps:\n  app: {\n    <<: ${value} }`))
      assert.deepEqual(
        [merge.source, merge.problem],
        ['monohull.yaml:4', 'is not valid YAML: << does not refer to keys and values'],
      )
    }
    assert.match(refusedOnce(yaml('app: {<<: *a}')).problem, /no anchor &a above/)
    assert.match(refusedOnce(yaml('app: &a {<<: *a}')).problem, /^is not valid YAML/)
  })

  it('shows what to set if another key is missing, and the line of a value in the file', () => {
    const pair = refusedOnce(yaml('app: {exit_after: {failures: 3}}'))
    assert.equal(pair.fix, 'add on_failure: exit')
    const health = refusedOnce(yaml('app:\n  health: {interval: 5s}'))
    assert.deepEqual([health.key, health.source], ['app.health.path', 'monohull.yaml:2'])
    const port = refusedOnce({ defaults: { http_port: 8080 }, ...yaml('# ports\nhttp_port: 99999') })
    assert.equal(port.source, 'monohull.yaml:2')
  })

  it('compares variables without their prefix', () => {
    assert.equal(refusedOnce({ env: { MONOHULL_WORKRES: '2' } }).fix, 'did you mean MONOHULL_WORKERS?')
    assert.match(refusedOnce({ env: { MONOHULL_QUUX: '2' } }).fix, /^remove it/)
  })

  it('rejects conflicting values', () => {
    const problems = refused(
      yaml(
        'http_port: 443\nstop_delay: 20s\nhealth: {live_path: /up, ready_path: /up}\napp: {backoff: {initial: 1m, max: 2s}, workers: {min: 4, max: 2}}',
      ),
    )
    assert.deepEqual(problems.map(problem => `${problem.key}: ${problem.problem}`).sort(), [
      'app.backoff.initial: expected at most backoff.max',
      'app.workers.min: expected at most max',
      'health.ready_path: expected a path other than health.live_path',
      'https_port: expected a port other than http_port',
      'stop_delay: expected less than stop_timeout, which includes it',
    ])
  })
})

describe('config/load: contradictions of a worker', () => {
  const cases: [string, string, string][] = [
    ['graceful_timeout: 10s', 'app.graceful_timeout', 'expected at most stop_timeout minus stop_delay'],
    ['env: {LISTEN_FDS: 1}', 'app.env.LISTEN_FDS', 'expected another name: monohull sets this one'],
    ['env: {MONOHULL_SLOT: 7}', 'app.env.MONOHULL_SLOT', 'expected another name: monohull sets this one'],
    [
      'listen: port, env: {PORT: 80}',
      'app.env.PORT',
      'is overridden by listen: port, which gives each worker its own port',
    ],
    ['max_requests: 5, max_requests_jitter: 6', 'app.max_requests_jitter', 'expected at most max_requests'],
    ['max_age: 1s', 'app.max_age', 'expected at least min_uptime'],
    ['timeout: 0s, health: {path: /alive}', 'app.health', 'expected a timeout above 0s beside it'],
    ['max_memory: 512', 'app.max_memory', 'expected an amount of memory such as 512MB or 2GB'],
    ['health: {path: alive}', 'app.health.path', 'expected a path such as /health'],
    ['reload: {surge: 0}', 'app.reload.surge', 'expected a whole number from 1 to 1024'],
    ['restart: "0 25 * * *"', 'app.restart', 'expected an hour from 0 to 23, a list, a range such as 0-23, * or */2'],
  ]
  for (const [text, key, message] of cases) {
    it(`rejects ${text}`, () => {
      const problem = refusedOnce(yaml(text.startsWith('stop') ? `${text}\napp: {}` : `app: {${text}}`))
      assert.deepEqual([problem.key, problem.problem], [key, message])
    })
  }
})

describe('config/load: unknown keys', () => {
  const cases: [string, string, string, number][] = [
    ['htpp_port: 80', 'htpp_port', 'did you mean http_port?', 1],
    ['app:\n  worker: 2', 'app.worker', 'did you mean app.workers?', 2],
    ['app:\n  workers: 2\n  backoff:\n    inital: 1s', 'app.backoff.inital', 'did you mean app.backoff.initial?', 4],
    ['app: {envv: {}}', 'app.envv', 'did you mean app.env?', 1],
  ]
  for (const [text, key, fix, line] of cases) {
    it(`suggests a key for ${key}`, () => {
      const problem = refusedOnce(yaml(text))
      assert.equal(problem.key, key)
      assert.equal(problem.source, `monohull.yaml:${line}`)
      assert.equal(problem.problem, 'is not a known key')
      assert.equal(problem.fix, fix)
    })
  }

  it('names one that every object of JavaScript has', () => {
    for (const text of ['__proto__: {a: 1}', 'constructor: 1', 'app: {toString: x}'])
      assert.equal(refusedOnce(yaml(text)).problem, 'is not a known key')
  })

  it('lists all keys if none is similar', () => {
    const { fix } = refusedOnce(yaml('app: {xyz: 1}'))
    assert.match(fix, /^known here: command, directory, user, workers, .*\benv\b/)
  })

  it('does not confuse keys with properties of every object', t => {
    t.after(() => Reflect.deleteProperty(Object.prototype, 'polluted'))
    assert.deepEqual(
      refused(yaml('__proto__: {polluted: 1}')).map(problem => problem.key),
      ['__proto__'],
    )
    assert.equal('polluted' in {}, false)
  })
})

describe('config/load: YAML', () => {
  const broken: [string, number][] = [
    ['http_port: 80\napp: [1\nhttps: on\n', 3],
    ['app:\n\tworkers: 2\n', 2],
    ['http_port: 1\nhttps: on\nhttp_port: 2\n', 3],
    ['https: on\n---\nhttps: off\n', 2],
    ['https: on\ncert_dir: *nowhere\n', 2],
  ]
  for (const [text, line] of broken) {
    it(`shows the line that breaks ${JSON.stringify(text)}`, () => {
      const problem = refusedOnce(yaml(text))
      assert.equal(problem.source, `monohull.yaml:${line}`)
      assert.match(problem.problem, /^is not valid YAML: ./)
    })
  }

  for (const text of ['- http_port', 'http_port', '80']) {
    it(`rejects ${text}, which contains no keys`, () => {
      assert.equal(refusedOnce(yaml(text)).problem, 'does not contain keys and values')
    })
  }
})

describe('config/load: reporting', () => {
  it('reports all problems at once, from every source', () => {
    const problems = refused({
      ...yaml('http_port: x\nhtpps: on\napp:\n  keepalive: -3'),
      env: { MONOHULL_WORKERS: 'four', MONOHULL_HTTP_PROT: '1', MONOHULL_USER_FILE: '/nowhere' },
      flags: { log_level: 'loud' },
      readFile: () => assert.fail('ENOENT'),
    })
    assert.deepEqual(problems.map(problem => `${problem.key} ${problem.source}`).sort(), [
      'MONOHULL_HTTP_PROT the environment',
      'app.keepalive monohull.yaml:4',
      'app.user MONOHULL_USER_FILE',
      'app.workers MONOHULL_WORKERS',
      'htpps monohull.yaml:2',
      'http_port monohull.yaml:1',
      'log_level --log-level',
    ])
    for (const { problem, fix } of problems) for (const text of [problem, fix]) assert.notEqual(text, '')
  })

  it('prints each with its key, value, source and fix', () => {
    const problems = refused({ env: { MONOHULL_WORKERS: 'four' }, ...yaml('htpp_port: 80') })
    assert.equal(
      formatProblems(problems),
      `monohull: 2 problems
  app.workers: ${wholeNumber}, got "four"
    from: MONOHULL_WORKERS
    fix:  set app.workers to a whole number from 1 to 1024, auto, or {min: 2, max: 8}
  htpp_port: is not a known key
    from: monohull.yaml:1
    fix:  did you mean http_port?`,
    )
  })

  const acme = (eab = '') => yaml(`tls: {acme: {domains: [a.test], ${eab}}}`)
  const secrets: [string, Parameters<typeof refused>[0]][] = [
    ['a value in app.env', yaml('app: {env: {PASSWORD: [hunter2]}}')],
    ['a name in app.env', yaml('app: {env: {PASS-WORD: hunter2}}')],
    ['app.env as a list', yaml('app: {env: [PASSWORD hunter2]}')],
    ['app.env as a text', yaml('app: {env: PASSWORD=hunter2}')],
    ['a value read from a file', { env: { MONOHULL_WORKERS_FILE: '/run/secrets/n' }, readFile: () => 'hunter2\n' }],
    ['an unknown variable', { env: { MONOHULL_PASSWORD: 'hunter2' } }],
    ['a value in the env of one of several apps', yaml('apps: {web: {env: {PASSWORD: [hunter2]}}}')],
    ['a value in the env of a process', yaml('processes: {q: {command: q, env: {PASSWORD: [hunter2]}}}')],
    ['a value in the env of an init command', yaml('init: [{command: m, env: {PASSWORD: [hunter2]}}]')],
    ['the env of an init command as a list', yaml('init: [{command: m, env: [PASSWORD=hunter2, {}]}]')],
    ['an app as a list', yaml('app: [{env: {PASSWORD: hunter2}}]')],
    ['apps as a list', yaml('apps: [{name: web, env: {PASSWORD: hunter2}}]')],
    ['an app as a list of lists', yaml('app: [[PASSWORD, hunter2]]')],
    ['processes as a list', yaml('processes: [{command: q, env: {PASSWORD: hunter2}}]')],
    ['a process with the name of an app', yaml('{apps: {q: {}}, processes: {q: {command: q, env: {P: hunter2}}}}')],
    ['init without a list', yaml('init: {command: m, env: {PASSWORD: hunter2}}')],
    ['PORT in app.env beside listen: port', yaml('app: {listen: port, env: {PORT: hunter2}}')],
    ['a key of the CA', acme('eab: {key_id: k, hmac_key: "hunter2 "}')],
    ['a key of the CA in a variable', { ...acme(), env: { MONOHULL_TLS_ACME_EAB_HMAC_KEY: 'hunter2!' } }],
    ['a key of the CA on the command line', { ...acme(), flags: { 'tls.acme.eab.hmac_key': 'hunter2!' } }],
    [
      'a key of the CA from a file',
      { ...acme(), env: { MONOHULL_TLS_ACME_EAB_HMAC_KEY_FILE: '/k' }, readFile: () => 'hunter2!' },
    ],
    ['a key of the CA as its id', acme('eab: {key_id: "hunter2 ", hmac_key: k}')],
    ['a key of the CA without its id', acme('eab: hunter2')],
    ['a key of the CA in a list', acme('eab: [k, hunter2]')],
    ['a key of the CA under another name', acme('eab: {key_id: k, hmac: hunter2}')],
    ['tls as a list', yaml('tls: [{acme: {eab: {key_id: k, hmac_key: hunter2}}}]')],
    ['a value that YAML takes for an alias', yaml('app: {env: {PASSWORD: *hunter2 }}')],
    ['a value that YAML takes for a tag', yaml('app:\n  env:\n    PASSWORD: !hunter2\n')],
    ['a value that YAML takes for a tag, of an init command', yaml('init:\n- env:\n    P: !hunter2 x\n  command: m')],
    ['a value with a YAML indicator', yaml('app:\n  env:\n    PASSWORD: @hunter2\n')],
    ['a value with a quote too much', yaml('app:\n  env:\n    PASSWORD: "abc"hunter2\n')],
    ['a value with a colon too much', yaml('app:\n  env:\n    PASSWORD: abc: hunter2\n')],
  ]
  for (const [what, sources] of secrets) {
    it(`never prints ${what}`, () => {
      assert.doesNotMatch(formatProblems(refused(sources)), /hunter2/)
    })
  }

  it('prints the problem of an app called env', () => {
    const { key, value } = refusedOnce(yaml('apps: {env: {workers: {min: -1, max: 4}}}'))
    assert.deepEqual([key, value], ['apps.env.workers.min', -1])
  })
})
