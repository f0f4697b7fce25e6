// node:http without its detour: an `import` of it reads every export, and reading `WebSocket` loads all of undici
// (40 ms, which `supervise status` does not have).

export const http = process.getBuiltinModule('node:http')
