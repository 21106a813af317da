-- Runs scenarios of scenarios.lua, each with a fresh Neovim and a fresh folder, and reports. `nvim -l run.lua --help`.
local here = vim.fs.dirname(vim.fs.abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local Child = require('child')
local scenarios = require('scenarios')

local usage = [[
run.lua --nvim NVIM --weftd PATH [--weftd-args JSON] [--weft PATH] [--model DIR] [--actions FILE] [--expect-failure TEXT] SCENARIO...
  --weftd           the daemon under test; --weftd-args: more arguments for it, a JSON list
  --weft            the command that the daemon is compared with
  --actions         the JSON file that a fake weftd was given, to know what it says
  --expect-failure  pass if and only if every scenario fails with a message that contains TEXT]]

---@return table<string, string> options, string[] names
local function parse(arguments)
  local options, names = {}, {}
  local i = 1
  while i <= #arguments do
    local name = arguments[i]:match('^%-%-(.+)$')
    if name == 'help' or (name and not arguments[i + 1]) then
      print(usage)
      os.exit(name == 'help' and 0 or 2)
    elseif name then
      options[name:gsub('-', '_')] = arguments[i + 1]
      i = i + 2
    else
      names[#names + 1] = arguments[i]
      i = i + 1
    end
  end
  return options, names
end

---@param name string
---@return boolean passed
local function run(name, options)
  local folder = vim.fn.tempname()
  vim.fn.mkdir(folder, 'p')
  local started = vim.uv.hrtime()
  local child = Child.new(folder, vim.tbl_extend('force', options, { repository = vim.fs.abspath(here .. '/../../..') }))
  local ok, problem = xpcall(scenarios[name], function(message)
    return type(message) == 'string' and debug.traceback(message, 2) or vim.inspect(message)
  end, child)
  local screen = not ok and child:screen() or nil
  child:stop()
  local expected = options.expect_failure
  local passed = ok
  if expected then
    passed = not ok and problem:find(expected, 1, true) ~= nil
  end
  io.write(('%s %s (%d ms)\n'):format(passed and 'ok  ' or 'FAIL', name, (vim.uv.hrtime() - started) / 1e6))
  if expected and ok then
    io.write(('  passed, but must fail with "%s"\n'):format(expected))
  elseif expected and passed then
    io.write(('  failed as it must: %s\n'):format(problem:match('^[^\n]*')))
  elseif not ok then
    io.write('  ', (problem:gsub('\n', '\n  ')), '\n')
  end
  if not passed and screen then
    io.write('  screen:\n    ', table.concat(screen, '\n    '), '\n')
  end
  if passed then
    vim.fn.delete(folder, 'rf')
  else
    io.write('  left behind: ', folder, '\n')
  end
  return passed
end

local options, names = parse(arg)
if #names == 0 or not options.weftd then
  print(usage)
  os.exit(2)
end
local failed = 0
for _, name in ipairs(names) do
  if not scenarios[name] then
    local known = vim.tbl_keys(scenarios)
    table.sort(known)
    print(('no scenario "%s"; known: %s'):format(name, table.concat(known, ', ')))
    os.exit(2)
  end
  failed = failed + (run(name, options) and 0 or 1)
end
print(('%d of %d scenarios passed'):format(#names - failed, #names))
os.exit(failed == 0 and 0 or 1)
