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

--- A line that is warned of after a save, and its quick fix.
function M.fix_bug(child, with)
  local bug, fixed = next(assert(script(child), 'no --actions').bugs)
  open_lines(child, with, 'bug.py', { 'def count(items):', '    ' .. bug, '    return total' }, 2)
  local function warnings()
    return child:lua([[return vim.tbl_map(function(at)
      return { row = at.lnum, source = at.source, hint = at.severity == vim.diagnostic.severity.HINT }
    end, vim.diagnostic.get(0))]])
  end
  with.expect(warnings(), {}, 'warnings before the save')
  child:lua('vim.cmd.write()')
  child:wait('warning', function()
    return #warnings() > 0
  end)
  with.expect(warnings(), { { row = 1, source = 'weft', hint = true } }, 'warnings')
  child:wait('sign of a hint on the screen', function()
    return vim.iter(child:screen()):any(function(line)
      return line:find('^H%s+' .. vim.pesc(bug)) ~= nil
    end)
  end)
  apply_action(child, 'Replace with')
  child:wait('fixed line', function()
    return child:lines()[2] == '    ' .. fixed
  end)
  child:wait('warning that is gone', function()
    return #warnings() == 0
  end)
end

return M
