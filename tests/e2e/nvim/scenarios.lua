-- What a person does in Neovim with weft, and what must be seen. Each scenario gets a Child that is not started yet.
local M = {}

local model_deadline_ms = 90000
local answer_deadline_ms = 20000

--- Places in textwrap.py: the line, how much of it stands there, what is typed.
local places = vim.json.decode(table.concat(
  vim.fn.readfile(vim.fs.dirname(vim.fs.abspath(arg[0])) .. '/../samples/textwrap_places.json'), '\n'))

--- Opens `file` and waits until weftd is ready.
---@param child table
---@param file string
---@param setup? table more options for require('weft').setup
local function open(child, file, setup)
  local command = { child.options.weftd }
  vim.list_extend(command, vim.json.decode(child.options.weftd_args or '[]'))
  child:start(file, vim.tbl_extend('force', { cmd = command, model = child.options.model }, setup or {}))
  child:wait('weftd that says it is ready', function()
    local status = child:lua('return Observe.status()')
    if type(status) ~= 'table' then
      return false
    end
    assert(status.state ~= 'failed', 'weftd has no model: ' .. tostring(status.error))
    return status.state == 'ready'
  end, model_deadline_ms)
end

--- Opens a copy of the standard library's textwrap.py.
---@param child table
---@param setup? table
local function open_textwrap(child, setup)
  local found = vim.system({ 'python3', '-c', 'import textwrap; print(textwrap.__file__)' }, { text = true }):wait()
  local original = vim.trim(found.stdout)
  local file = child.folder .. '/textwrap.py'
  assert(vim.uv.fs_copyfile(original, file))
  open(child, file, setup)
  return file
end

--- Starts the child with a fake that says `script`.
---@param child table
---@param script string[]
---@param more? string[] arguments of the fake
---@param setup? table
local function open_with_script(child, script, more, setup)
  local path = child.folder .. '/script.json'
  vim.fn.writefile({ vim.json.encode(script) }, path)
  child.options = vim.tbl_extend('force', child.options, {
    weftd_args = vim.json.encode(vim.list_extend({ '--script', path }, more or {})),
  })
  return open_textwrap(child, setup)
end

--- Puts the cursor on the line of `place`, takes away what is behind `from`, and is in insert mode there.
local function go(child, place)
  child:type('<Esc>')
  local found = child:lua(
    [[
      local line, from = ...
      local row = vim.fn.index(vim.api.nvim_buf_get_lines(0, 0, -1, false), line)
      if row < 0 then
        return false
      end
      vim.api.nvim_buf_set_lines(0, row, row + 1, true, { from })
      vim.api.nvim_win_set_cursor(0, { row + 1, #from })
      return true
    ]],
    place.line,
    place.from
  )
  assert(found, 'textwrap.py has no line "' .. place.line .. '"')
  child:type('A')
  child:wait('insert mode behind "' .. place.from .. '"', function()
    local state = child:state()
    return state.mode == 'i' and state.before == place.from and state.after == ''
  end)
end

--- Types `text` a key at a time, as fast as the buffer follows, and looks at the suggestion after each.
---@return integer seen how often a suggestion was on the screen
local function type_watching(child, text)
  local seen = 0
  for _, key in ipairs(vim.fn.split(text, '\\zs')) do
    local before = child:state().before
    child:type(key == '<' and '<lt>' or key)
    child:wait('"' .. key .. '" in the buffer', function()
      return child:state().before ~= before
    end)
    local lie, state = child:lua('return Observe.lie()'), child:state()
    assert(lie == vim.NIL or lie == nil, 'stale suggestion: ' .. tostring(lie))
    seen = seen + (state.ghost and 1 or 0)
  end
  return seen
end

local function no_lie(child)
  local lie = child:lua('return Observe.lie()')
  assert(lie == vim.NIL, 'stale suggestion: ' .. tostring(lie))
end

--- Waits for the answer for the place of the cursor, watching the screen, and returns what is there then.
local function settled(child)
  child:wait('answer for the place of the cursor', function()
    no_lie(child)
    return child:lua('return Observe.answer_here()') ~= vim.NIL
  end, answer_deadline_ms)
  no_lie(child)
  return child:state()
end

--- Goes to the first of the places, types, and returns the state with a suggestion in it.
local function first_suggestion(child)
  for _, place in ipairs(places) do
    go(child, place)
    type_watching(child, place.typed)
    local state = settled(child)
    if state.ghost then
      return state
    end
  end
  error(('no ghost text at any of %d places'):format(#places))
end

local function expect(got, wanted, what)
  assert(vim.deep_equal(got, wanted), ('%s: got %s, expected %s'):format(what, vim.inspect(got), vim.inspect(wanted)))
end

--- What the buffer must be after `text` was inserted at the cursor of `state`.
local function with_inserted(lines, state, text)
  local result = vim.list_slice(lines, 1, state.row)
  vim.list_extend(result, vim.split(state.before .. text .. state.after, '\n', { plain = true }))
  return vim.list_extend(result, lines, state.row + 2)
end

local function no_ghost_on_screen(child)
  return child:state().ghost == nil
end

--- Types in a real file, sees the suggestion, takes it with <Tab>.
function M.accept(child)
  open_textwrap(child)
  local state = first_suggestion(child)
  local lines = child:lines()
  local first = vim.split(state.before .. state.ghost.text, '\n', { plain = true })[1]
  child:wait('suggestion "' .. first .. '" on the screen', function()
    return vim.iter(child:screen()):any(function(line)
      return line:find(first, 1, true) ~= nil
    end)
  end)
  child:type('<Tab>')
  local wanted = with_inserted(lines, state, state.ghost.text)
  child:wait('accepted suggestion in the buffer', function()
    return not vim.deep_equal(child:lines(), lines)
  end)
  local got = child:lines()
  for i = 1, math.max(#got, #wanted) do
    expect(got[i], wanted[i], ('line %d after <Tab>'):format(i))
  end
  local after = child:state()
  local last = vim.split(state.before .. state.ghost.text, '\n', { plain = true })
  expect({ after.row, after.before }, { state.row + #last - 1, last[#last] }, 'cursor after <Tab>')
  expect(after.mode, 'i', 'mode after <Tab>')
end

--- Types on while a suggestion is there: first what it says, then something else, then back.
function M.typing(child)
  open_textwrap(child)
  local state = first_suggestion(child)
  local said = vim.split(state.ghost.text, '\n', { plain = true })[1]:sub(1, 3)
  assert(type_watching(child, said) > 0 or #said < 3, 'the suggestion went away while typing what it says')
  type_watching(child, 'qz7')
  settled(child)
  for _ = 1, 3 do
    child:type('<BS>')
  end
  child:wait('three letters gone', function()
    return child:state().before == state.before .. said
  end)
  settled(child)
  type_watching(child, 'self.wq = [x for x in y]')
  settled(child)
  child:type('<Esc>')
  child:wait('suggestion gone with insert mode', function()
    return no_ghost_on_screen(child)
  end)
end

--- The suggestion is what `weft complete` prints at that place. Each place is asked about once: what was suggested a
--- few letters earlier and typed through may rightly differ from an answer that starts afresh.
function M.same_as_weft_complete(child)
  local file = open_textwrap(child)
  local suggestions = 0
  for _, place in ipairs(places) do
    go(child, { line = place.line, from = place.from .. place.typed })
    local state = settled(child)
    child:lua('vim.cmd.write()')
    local at = ('%s:%d:%d'):format(file, state.row + 1, vim.fn.strchars(state.before) + 1)
    local command = { child.options.weft, 'complete', at, '--json' }
    vim.list_extend(command, child.options.model and { '--model', child.options.model } or {})
    local done = vim.system(command, { text = true }):wait()
    assert(done.code == 0, table.concat(command, ' ') .. ' failed: ' .. done.stderr)
    local items = vim.json.decode(done.stdout).items
    expect(state.ghost and state.ghost.text or '', items[1] and items[1].text or '', 'suggestion and `weft complete` at ' .. at)
    suggestions = suggestions + (state.ghost and 1 or 0)
  end
  assert(suggestions > 0, ('no ghost text at any of %d places'):format(#places))
end

for _, module in ipairs({ 'scripted', 'actions' }) do
  for name, scenario in pairs(require(module)) do
    M[name] = function(child)
      scenario(child, {
        open = open,
        open_with_script = open_with_script,
        go = go,
        type_watching = type_watching,
        settled = settled,
        expect = expect,
      })
    end
  end
end

return M
