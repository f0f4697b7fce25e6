#!/usr/bin/env node
// Launcher: checks Node's version and the system, nothing else. It has to parse on the oldest Node that may meet it, so it
// is written in old words and has no import statement.
;(function () {
  var wanted = [22, 22]
  var version = process.versions.node.split('.').map(Number)
  var isOld = version[0] < wanted[0] || (version[0] === wanted[0] && version[1] < wanted[1])
  if (isOld) {
    refuse(
      'supervise needs Node.js ' +
        wanted.join('.') +
        ' or later, and this is ' +
        process.versions.node +
        ' (' +
        process.execPath +
        ').',
    )
  } else if (process.platform === 'win32') {
    refuse('supervise does not run on Windows: it hands sockets between processes as only Unix can. WSL works.')
  } else {
    void import('../dist/cli/main.js')
  }

  function refuse(sentence) {
    process.stderr.write(sentence + '\n')
    process.exitCode = 2
  }
})()
