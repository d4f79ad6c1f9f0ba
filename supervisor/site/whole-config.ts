// The configuration with the reasons why a value is refused. In the build it is a file of its own, which only a start that fails loads.
export { loadConfig, parseConfigFile } from './config.ts'
