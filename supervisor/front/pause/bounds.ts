/** Bounds of a pause. Most clients and proxies give up after a minute. */
export const pauseBounds = { min: '1s', max: '10m' }
