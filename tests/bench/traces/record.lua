-- Plays scenarios/NAME.json into real Neovims with the plugin and a real weftd, and leaves what the editors sent:
--
--   nvim --headless --clean -l tests/bench/traces/record.lua --nvim NVIM --weftd WEFTD [--model DIR] --out FOLDER NAME
--
-- In FOLDER: one recording an editor (weftd --record), and NAME.parts.json, which pack.py reads.
local here = vim.fs.dirname(vim.fs.abspath(arg[0]))
package.path = ('%s/?.lua;%s/../../e2e/nvim/?.lua;'):format(here, here) .. package.path
local Child = require('child')
local Typist = require('typist')

local ready_deadline_ms = 180000
local keys = { accept_word = '<C-Right>', accept_line = '<C-Down>' }

local function parse(arguments)
  local options = {}
  for i = 1, #arguments do
    local name = arguments[i]:match('^%-%-(.+)$')
    if name then
      options[name] = arguments[i + 1]
    elseif i == 1 or not arguments[i - 1]:match('^%-%-') then
      options.scenario = arguments[i]
    end
  end
  for _, name in ipairs({ 'nvim', 'weftd', 'out', 'scenario' }) do
    assert(options[name], 'no --' .. name)
  end
  return options
end

local function read_json(path)
  return vim.json.decode(table.concat(vim.fn.readfile(path), '\n'))
end

--- Numbers in [0, 1) that a seed determines (Park and Miller 1988).
local function random_from(seed)
  local state = seed
  return function()
    state = (state * 48271) % 2147483647
    return state / 2147483647
  end
end

--- The scenario's files with their cuts made, see prepare.py.
local function prepare(scenario_file)
  local command = { 'python3', here .. '/prepare.py', scenario_file }
  local done = vim.system(command, { text = true }):wait()
  assert(done.code == 0, done.stderr)
  return vim.json.decode(done.stdout)
end

local function expect_row(child, line)
  local row = child:lua('return vim.fn.index(vim.api.nvim_buf_get_lines(0, 0, -1, false), ...)', line)
  assert(row >= 0, ('no line "%s"'):format(line))
  return row
end

--- Jumps there as one who reads line numbers does.
local function go(typist, line)
  local row = expect_row(typist.child, line)
  typist:pause(typist.habits.line_ms)
  for _, key in ipairs({ '<Esc>', ':', unpack(vim.fn.split(tostring(row + 1), '\\zs')) }) do
    typist:press(key)
    typist:pause(typist.habits.key_ms)
  end
  typist:press('<CR>')
  typist:pause(typist.habits.line_ms)
  return row
end

local steps = {}

function steps.open(typist, name)
  for _, key in ipairs({ '<Esc>', ':', 'e', ' ', unpack(vim.fn.split(name, '\\zs')) }) do
    typist:press(key)
    typist:pause(typist.habits.key_ms)
  end
  typist:press('<CR>')
  typist:pause(typist.habits.line_ms * 2)
end

function steps.write(typist, id)
  local cut = typist.cuts[id]
  local row = go(typist, cut.above[1])
  while not vim.deep_equal(typist.child:lua('return vim.api.nvim_buf_get_lines(0, ...)', row, row + #cut.above, false), cut.above) do
    row = row + 1  -- the line stands more than once
  end
  typist:press(('%dG'):format(row + #cut.above))
  typist:pause(typist.habits.word_ms)
  typist:press('o')
  coroutine.yield(30)
  typist:write(row + #cut.above, table.concat(cut.lines, '\n'))
  typist:pause(typist.habits.word_ms)
  typist:press('<Esc>')
end

--- Goes to a line, begins to write with a key, and leaves the row saying the text.
local function write_at(typist, line, key, text)
  local row = go(typist, line)
  typist:press(key)
  coroutine.yield(30)
  typist:write(row, text)
  typist:press('<Esc>')
end

function steps.rewrite(typist, line, step)
  write_at(typist, line, 'cc', table.concat(step.with, '\n'))
end

function steps.append(typist, line, step)
  write_at(typist, line, 'A', line .. step.text)
end

function steps.delete(typist, line, step)
  go(typist, line)
  typist:press(('%ddd'):format(step.lines))
  typist:pause(typist.habits.line_ms)
end

function steps.undo(typist, times)
  for _ = 1, times do
    typist:press('u')
    typist:pause(typist.habits.word_ms)
  end
  typist:pause(typist.habits.line_ms)
end

function steps.look_at(typist, line)
  go(typist, line)
  typist:pause(typist.habits.think_ms)
end

function steps.pause_ms(_, median_ms)
  coroutine.yield(median_ms)
end

local function play(typist, list)
  for _, step in ipairs(list) do
    for name, value in pairs(step) do
      if steps[name] then
        steps[name](typist, value, step)
      end
    end
  end
end

--- An editor with its daemon, ready to be typed into.
local function start(options, scenario, prepared, number)
  local folder = vim.fn.tempname()
  vim.fn.mkdir(folder .. '/code', 'p')
  for name, text in pairs(prepared.files) do
    vim.fn.writefile(vim.split(text, '\n', { plain = true }), folder .. '/code/' .. name)
  end
  vim.fn.chdir(folder .. '/code')
  local recording = ('%s/%s.%d.raw'):format(options.out, options.scenario, number)
  local child = Child.new(folder, {
    nvim = options.nvim,
    weftd = options.weftd,
    repository = vim.fs.abspath(here .. '/../../..'),
  })
  local first = folder .. '/code/' .. scenario.editors[number].steps[1].open
  child:start(first, {
    cmd = { options.weftd, '--record', recording },
    model = options.model,
    filetypes = { 'python', 'cpp' },
    keymaps = keys,
  })
  child:lua('vim.cmd.cd(...); vim.o.hidden = true', folder .. '/code')
  child:wait('weftd that is ready', function()
    local status = child:lua('return Observe.status()')
    return type(status) == 'table' and status.state == 'ready'
  end, ready_deadline_ms)
  local born = vim.uv.fs_stat(recording).birthtime
  return child, { recording = recording, folder = folder .. '/code', begin_ms = born.sec * 1000 + born.nsec / 1e6 }
end

--- Resumes whoever is due until all are done.
local function run_all(players)
  local now = function()
    return vim.uv.hrtime() / 1e6
  end
  while next(players) do
    table.sort(players, function(a, b)
      return a.due < b.due
    end)
    local player = players[1]
    vim.wait(math.max(0, math.floor(player.due - now())))
    local ok, delay_ms = coroutine.resume(player.coroutine)
    assert(ok, not ok and debug.traceback(player.coroutine, delay_ms) or nil)
    player.due = now() + (delay_ms or 0)
    if coroutine.status(player.coroutine) == 'dead' then
      table.remove(players, 1)
    end
  end
end

local options = parse(arg)
options.out = vim.fs.abspath(options.out)
vim.fn.mkdir(options.out, 'p')
local scenario_file = ('%s/scenarios/%s.json'):format(here, options.scenario)
local scenario = read_json(scenario_file)
local prepared = prepare(scenario_file)
local children, parts, players = {}, {}, {}
for number, editor in ipairs(scenario.editors) do
  local child, part = start(options, scenario, prepared, number)
  local typist = Typist.new(child, random_from(scenario.seed + 1000 * number), editor.typist)
  typist.cuts = prepared.cuts
  children[number], parts[number] = child, part
  players[number] = { due = 0, coroutine = coroutine.create(function() play(typist, editor.steps) end) }
end
run_all(players)
for _, child in ipairs(children) do
  child:stop()
end
local version = vim.version()
vim.fn.writefile({ vim.json.encode({
  editor = ('Neovim %d.%d.%d'):format(version.major, version.minor, version.patch),
  texts = prepared.texts,
  parts = parts,
}) }, ('%s/%s.parts.json'):format(options.out, options.scenario))
print(options.scenario .. ': recorded')
