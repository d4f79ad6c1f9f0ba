/** What the installed nginx can do. */
export interface NginxFeatures {
  /** `1.22.1` */
  version: string
  /** `http2 on;` exists (1.25.1); before, HTTP/2 is a word in `listen`. */
  hasHttp2Directive: boolean
  /** Keys of session tickets are made anew by and by, and shared by old and new workers (1.23.2). */
  rotatesTicketKeys: boolean
  /** The module for files that are compressed with Brotli already; undefined when there is none. */
  brotliStaticModule: string | undefined
  /** X25519MLKEM768 is known to its OpenSSL (3.5). */
  hasMlKem: boolean
  /** Files to load for Lua, in this order; none when it is built in, undefined when there is no Lua. */
  luaModules: string[] | undefined
  /** File of the dynamic module that compresses with Brotli. */
  brotliModule: string | undefined
  hasHttp3: boolean
  /** `max_headers` exists: in releases of 2026, and in Debian's older ones since June of it. */
  hasMaxHeaders: boolean
}

/** Features by the output of `nginx -V`, and by which module files and directives there are. */
export function readFeatures(
  versionText: string,
  isFile: (path: string) => boolean,
  hasDirective: (name: string) => boolean,
): NginxFeatures {
  const version = /nginx\/(\d+\.\d+\.\d+)/.exec(versionText)?.[1] ?? '0.0.0'
  // "built with OpenSSL 3.0 (running with OpenSSL 3.5)": what runs counts
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
  }
}

/** Debian's modules of Lua. */
function findLua(versionText: string, isFile: (path: string) => boolean): string[] | undefined {
  if (/--add-module=\S*(lua-nginx-module|ngx_lua)/.test(versionText)) return []
  return findModules(versionText, ['ndk_http_module.so', 'ngx_http_lua_module.so'], isFile)
}

/** Where the nginx at hand looks for modules; undefined when one is missing. */
function findModules(
  versionText: string,
  names: readonly string[],
  isFile: (path: string) => boolean,
): string[] | undefined {
  const folder = /--modules-path=(\S+)/.exec(versionText)?.[1]
  if (folder === undefined) return undefined
  const files = names.map(name => `${folder}/${name}`)
  return files.every(isFile) ? files : undefined
}

function findBrotli(versionText: string, isFile: (path: string) => boolean): string | undefined {
  const folder = /--modules-path=(\S+)/.exec(versionText)?.[1]
  const file = `${folder}/ngx_http_brotli_filter_module.so`
  return folder !== undefined && isFile(file) ? file : undefined
}
