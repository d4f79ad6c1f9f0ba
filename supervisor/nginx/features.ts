/** Features of the installed nginx. */
export interface NginxFeatures {
  /** `1.22.1` */
  version: string
  /** Whether `http2 on;` exists (1.25.1). Before that, HTTP/2 is a parameter of `listen`. */
  hasHttp2Directive: boolean
  /** Whether it rotates the keys of session tickets and shares them between old and new workers (1.23.2). */
  rotatesTicketKeys: boolean
  /** File of the module that serves precompressed Brotli files; undefined if it is missing. */
  brotliStaticModule: string | undefined
  /** Whether its OpenSSL supports X25519MLKEM768 (3.5). */
  hasMlKem: boolean
  /** Module files to load for Lua, in this order; empty if Lua is built in, undefined if there is none. */
  luaModules: string[] | undefined
  /** File of the dynamic module that compresses with Brotli; undefined if it is missing. */
  brotliModule: string | undefined
  hasHttp3: boolean
  /** Whether `max_headers` exists: in releases from 2026 on, and in Debian's older versions since June 2026. */
  hasMaxHeaders: boolean
  /** Whether `keepalive_min_timeout` exists (1.27.4), which keeps idle client connections open for a while after a reload. */
  hasKeepaliveMinTimeout: boolean
  /** Whether it reports its connections (stub_status). */
  hasStatus: boolean
}

/** Features from the output of `nginx -V` and from the existing module files and directives. */
export function readFeatures(
  versionText: string,
  isFile: (path: string) => boolean,
  hasDirective: (name: string) => boolean,
): NginxFeatures {
  const version = /nginx\/(\d+\.\d+\.\d+)/.exec(versionText)?.[1] ?? '0.0.0'
  // "built with OpenSSL 3.0 (running with OpenSSL 3.5)": the running version counts
  const openssl =
    /running with OpenSSL (\d+)\.(\d+)/.exec(versionText) ?? /built with OpenSSL (\d+)\.(\d+)/.exec(versionText)
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  return {
    version,
    hasHttp2Directive: major > 1 || (major === 1 && (minor > 25 || (minor === 25 && patch >= 1))),
    rotatesTicketKeys: major > 1 || (major === 1 && (minor > 23 || (minor === 23 && patch >= 2))),
    brotliStaticModule: findModules(versionText, ['ngx_http_brotli_static_module.so'], isFile)?.[0],
    luaModules: findLua(versionText, isFile),
    hasMlKem: Number(openssl?.[1]) > 3 || (Number(openssl?.[1]) === 3 && Number(openssl?.[2]) >= 5),
    brotliModule: findBrotli(versionText, isFile),
    hasHttp3: versionText.includes('--with-http_v3_module'),
    hasMaxHeaders: hasDirective('max_headers'),
    hasKeepaliveMinTimeout: hasDirective('keepalive_min_timeout'),
    hasStatus: versionText.includes('--with-http_stub_status_module'),
  }
}

/** Lua modules as packaged by Debian. */
function findLua(versionText: string, isFile: (path: string) => boolean): string[] | undefined {
  if (/--add-module=\S*(lua-nginx-module|ngx_lua)/.test(versionText)) return []
  return findModules(versionText, ['ndk_http_module.so', 'ngx_http_lua_module.so'], isFile)
}

/** Directory of the modules that nginx is built for, from the output of `nginx -V`. */
export function modulesDirectory(versionText: string): string | undefined {
  return /--modules-path=(\S+)/.exec(versionText)?.[1]
}

/** Paths of modules in the directory that nginx is built for; undefined if one is missing. */
function findModules(
  versionText: string,
  names: readonly string[],
  isFile: (path: string) => boolean,
): string[] | undefined {
  const directory = modulesDirectory(versionText)
  if (directory === undefined) return undefined
  const files = names.map(name => `${directory}/${name}`)
  return files.every(isFile) ? files : undefined
}

function findBrotli(versionText: string, isFile: (path: string) => boolean): string | undefined {
  const directory = modulesDirectory(versionText)
  const file = `${directory}/ngx_http_brotli_filter_module.so`
  return directory !== undefined && isFile(file) ? file : undefined
}
