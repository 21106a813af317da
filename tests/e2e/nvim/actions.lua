-- Code actions and warnings: Neovim's own mechanisms, with nothing of the plugin's between. `child.options.actions` is
-- the file that a fake weftd was given; without it the daemon is real, and what it writes is its own.
local M = {}

local model_deadline_ms = 90000

--- What the fake says. Nil: the daemon is real.
---@return { function: string, bugs: table<string, string> }?
local function script(child)
  local path = child.options.actions
  return path and vim.json.decode(table.concat(vim.fn.readfile(path), '\n')) or nil
end

--- Opens a file with `lines` and puts the cursor on line `row` (from 1).
local function open_lines(child, with, name, lines, row)
  local file = child.folder .. '/' .. name
  vim.fn.writefile(lines, file)
  with.open(child, file)
  child:lua('vim.api.nvim_win_set_cursor(0, { ..., 0 })', row)
end

--- What a mapping of a user's would do.
local function apply_action(child, title)
  child:lua(
    [[
      local title = ...
      vim.lsp.buf.code_action({ apply = true, filter = function(action)
        return vim.startswith(action.title, title)
      end })
    ]],
    title
  )
end

--- "Generate function" on a comment, and undone again.
function M.generate(child, with)
  local comment = '# the sum of two numbers'
  local before = { 'import os', '', comment, '', 'print(os.name)' }
  open_lines(child, with, 'generate.py', before, 3)
  apply_action(child, 'Generate function')
  child:wait('generated function', function()
    return vim.iter(child:lines()):any(function(line)
      return vim.startswith(line, 'def ')
    end)
  end, model_deadline_ms)
  local said = script(child)
  if said then
    local wanted = vim.list_extend(vim.list_slice(before, 1, 3), vim.split(said['function'], '\n'))
    with.expect(child:lines(), vim.list_extend(wanted, before, 4), 'buffer')
  end
  child:type('u')
  child:wait('undo of the whole function', function()
    return vim.deep_equal(child:lines(), before)
  end)
end

--- Opens a copy of a file of ../samples.
local function open_sample(child, with, name)
  local directory = vim.fs.dirname(vim.fs.abspath(arg[0])) .. '/../samples/'
  local lines = vim.fn.readfile(directory .. name)
  open_lines(child, with, name, lines, 1)
  return lines
end

local function warnings(child)
  return child:lua([[return vim.tbl_map(function(at)
    return { row = at.lnum, source = at.source, hint = at.severity == vim.diagnostic.severity.HINT }
  end, vim.diagnostic.get(0))]])
end

--- Titles of the actions at `row` (from 1) that begin with `title`.
local function titles(child, row, title)
  return child:lua(
    [[
      local row, title = ...
      vim.api.nvim_win_set_cursor(0, { row, 0 })
      local client = vim.lsp.get_clients({ name = 'weft', bufnr = 0 })[1]
      local params = vim.lsp.util.make_range_params(0, client.offset_encoding)
      params.context = { triggerKind = 1, diagnostics = vim.tbl_map(function(at)
        return at.user_data.lsp
      end, vim.diagnostic.get(0, { lnum = row - 1 })) }
      local answer = client:request_sync('textDocument/codeAction', params, 20000)
      return vim.iter(answer and answer.result or {}):map(function(action)
        return vim.startswith(action.title, title) and action.title or nil
      end):totable()
    ]],
    row,
    title
  )
end

--- Saves, and waits for warnings, all of them hints of weft's.
local function save_and_be_warned(child, with)
  with.expect(warnings(child), {}, 'warnings before the save')
  child:lua('vim.cmd.write()')
  child:wait('warning', function()
    return #warnings(child) > 0
  end, model_deadline_ms)
  local found = warnings(child)
  for _, warning in ipairs(found) do
    with.expect({ warning.source, warning.hint }, { 'weft', true }, 'warning')
  end
  return found
end

--- Chooses the fix of the line `row` (from 1); the line changes, and no warning is left there.
local function fix(child, row)
  local before = child:lines()[row]
  child:lua('vim.api.nvim_win_set_cursor(0, { ..., 0 })', row)
  apply_action(child, 'Replace with')
  child:wait('fixed line', function()
    return child:lines()[row] ~= before
  end)
  child:wait('warning that is gone', function()
    return not vim.iter(warnings(child)):any(function(warning)
      return warning.row == row - 1
    end)
  end)
  return child:lines()[row]
end

--- A line that is warned of after a save, and its quick fix.
function M.fix_bug(child, with)
  local bug, fixed = next(assert(script(child), 'no --actions').bugs)
  open_lines(child, with, 'bug.py', { 'def count(items):', '    ' .. bug, '    return total' }, 2)
  local found = save_and_be_warned(child, with)
  with.expect(#found == 1 and found[1].row, 1, 'row of the one warning')
  child:wait('sign of a hint on the screen', function()
    return vim.iter(child:screen()):any(function(line)
      return line:find('^H%s+' .. vim.pesc(bug)) ~= nil
    end)
  end)
  with.expect(fix(child, 2), '    ' .. fixed, 'fixed line')
end

--- The same with what the model says of small functions, each with a bug; not which of them it finds.
function M.fix_real_bug(child, with)
  open_sample(child, with, 'suspicious.py')
  local found = save_and_be_warned(child, with)
  for _, warning in ipairs(found) do
    if #titles(child, warning.row + 1, 'Replace with') > 0 then
      io.write(('  %d warnings; line %d is now "%s"\n'):format(#found, warning.row + 1, fix(child, warning.row + 1)))
      return
    end
  end
  error(('%d warnings, none with a fix'):format(#found))
end

--- Clumsy code that the model says in a better way: what is listed, and one that is taken.
function M.refactor(child, with)
  local before = open_sample(child, with, 'clumsy.py')
  local tried = {}
  for row = 1, #before do
    local title = titles(child, row, 'Refactor: ')[1]
    if title and not vim.list_contains(tried, title) then
      table.insert(tried, title)
      apply_action(child, title)
      local changed = pcall(child.wait, child, 'refactored code', function()
        return not vim.deep_equal(child:lines(), before)
      end)
      if changed then
        io.write(('  %s\n    %s\n'):format(title, table.concat(child:lines(), '\n    ')))
        return
      end
    end
  end
  error(('listed, none done: %s'):format(table.concat(tried, ', ')))
end

return M
