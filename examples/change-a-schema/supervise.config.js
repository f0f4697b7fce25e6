// One app, four releases of it one after the other. Each is a directory; `supervise deploy` says which one comes next.

export default {
  name: 'people',
  script: './releases/1-before/server.js',
  // Inside the release, so that it moves along with it: a hook finds the new release's own files.
  cwd: './releases/1-before',
  workers: 2,
  port: 3000,
  // Each release answers it by reading the data, and says no when it could not read all of it.
  smoke: { http: '/readable' },
  bake: '10m',
  rollbackWindow: '10m',
  hooks: {
    expand: 'node expand.js',
    contract: 'node contract.js',
  },
}
