-- Scenarios that need a daemon which says what it is told (tests/support/fake_weftd.py).
local M = {}

local blank = { line = '        if self.expand_tabs:', from = '        ' }

--- Every answer comes one edit too late: it may be shown only where the edit was what it says.
function M.late(child, with)
  with.open_with_script(child, { 'value = alpha', 'value = alphabet' }, { '--late' })
  with.go(child, blank)
  with.type_watching(child, 'val')
  local asked = 'return #Observe.answers'
  for _, key in ipairs({ 'u', 'e', ' ', 'x' }) do
    -- The daemon has a question in hand that it answers when the next key's edit arrives.
    child:wait('question in hand', function()
      return child:lua([[return vim.iter(vim.tbl_values(vim.lsp.get_clients({ name = 'weft' })[1].requests)):any(
        function(request) return request.method == 'textDocument/inlineCompletion' end)]])
    end)
    local answers = child:lua(asked)
    with.type_watching(child, key)
    child:wait('late answer', function()
      return child:lua(asked) > answers
    end)
    local lie = child:lua('return Observe.lie()')
    assert(lie == vim.NIL, 'stale suggestion: ' .. tostring(lie))
    with.expect(child:state().ghost ~= nil, key ~= 'x', ('suggestion shown after "%s"'):format(child:state().before))
  end
end

--- Taking a suggestion that was partly typed since inserts only what is missing.
function M.typed_through(child, with)
  with.open_with_script(child, { 'value = compute(alpha)' })
  with.go(child, blank)
  with.type_watching(child, 'value')
  with.settled(child)
  assert(with.type_watching(child, ' = com') == 6, 'the suggestion went away while typing what it says')
  child:type('<Tab>')
  child:wait('accepted suggestion', function()
    return child:state().before == blank.from .. 'value = compute(alpha)'
  end)
end

--- Several lines, also behind a range that starts before the cursor, and with letters outside ASCII.
local function several_lines(child, with, more)
  with.open_with_script(child, { 'grüße = [\n    "größe",\n]' }, more)
  with.go(child, blank)
  with.type_watching(child, 'grüß')
  local state = with.settled(child)
  with.expect(state.ghost and state.ghost.text, 'e = [\n            "größe",\n        ]', 'suggestion')
  child:type('<Tab>')
  child:wait('accepted suggestion', function()
    return child:state().row == state.row + 2
  end)
  local lines = vim.list_slice(child:lines(), state.row + 1, state.row + 3)
  with.expect(lines, { '        grüße = [', '            "größe",', '        ]' }, 'accepted lines')
  child:type('<Esc>u')
  child:wait('undo of the suggestion alone', function()
    return child:lines()[state.row + 1] == '        grüß'
  end)
end

function M.several_lines(child, with)
  several_lines(child, with)
end

function M.range_before_cursor(child, with)
  several_lines(child, with, { '--whole-line' })
end

--- Text behind the cursor stays behind the suggestion, even where both begin alike.
function M.text_behind(child, with)
  with.open_with_script(child, { 'call(alpha + one' })
  with.go(child, blank)
  child:lua('vim.api.nvim_set_current_line(...)', blank.from .. 'alpha)')
  child:type('<Home>')
  child:wait('cursor at the start', function()
    return child:state().col == 0
  end)
  child:type('<Esc>^i')
  with.type_watching(child, 'call(')
  local state = with.settled(child)
  with.expect(state.ghost and state.ghost.text, 'alpha + one', 'suggestion')
  with.expect(state.ghost.col, state.col, 'column of the suggestion')
  child:type('<Tab>')
  child:wait('accepted suggestion', function()
    return child:state().before .. '|' .. child:state().after == blank.from .. 'call(alpha + one|alpha)'
  end)
end

--- A word at a time, a line at a time, and through several suggestions.
function M.pieces_and_alternatives(child, with)
  with.open_with_script(child, { 'value = one + 1', 'value = two\nvalue = three' }, nil, {
    keymaps = { accept_word = '<C-Right>', accept_line = '<C-Down>', next = '<M-n>', prev = '<M-p>' },
  })
  with.go(child, blank)
  with.type_watching(child, 'val')
  with.expect(with.settled(child).ghost.text, 'ue = one + 1', 'first suggestion')
  local function shows(text)
    child:wait('suggestion "' .. text .. '"', function()
      local ghost = child:state().ghost
      return ghost and ghost.text == text
    end)
  end
  child:type('<M-n>')
  shows('ue = two\n        value = three')
  with.expect(child:state().ghost.hint, ' (2/2)', 'which of how many')
  child:type('<M-p>')
  shows('ue = one + 1')
  child:type('<M-n>')
  shows('ue = two\n        value = three')
  child:type('<C-Right>')
  child:wait('accepted word', function()
    return child:state().before == blank.from .. 'value'
  end)
  shows(' = one + 1')
  child:type('<M-n>')
  shows(' = two\n        value = three')
  child:type('<C-Down>')
  child:wait('accepted line', function()
    return child:state().before == blank.from .. 'value = two'
  end)
end

--- <Tab> without a suggestion does what it did before.
function M.tab_falls_back(child, with)
  with.open_with_script(child, {})
  with.go(child, blank)
  with.type_watching(child, 'x')
  with.settled(child)
  child:lua('vim.bo.expandtab = false')
  child:type('<Tab>')
  child:wait('tab in the buffer', function()
    return child:state().before == blank.from .. 'x\t'
  end)
end

--- So do the other keys.
function M.other_keys_fall_back(child, with)
  with.open_with_script(child, {})
  with.go(child, blank)
  with.type_watching(child, 'x')
  with.settled(child)
  local lines = child:lines()
  child:type('<M-]><Esc>')  -- unmapped: <Esc>, and "]" begins a command, which <Esc> ends
  child:wait('normal mode', function()
    return child:state().mode == 'n'
  end)
  with.expect(child:lines(), lines, 'buffer')
end

--- A mapping of the user's stays in force where there is no suggestion.
function M.own_tab_mapping(child, with)
  with.open_with_script(child, {}, nil, { keymaps = { accept = '<C-y>' } })
  child:lua([[
    vim.keymap.set('i', '<C-l>', 'left', {})
    vim.keymap.set('i', '<C-k>', function() return '<C-v>u00e9' end, { expr = true })
    require('weft').setup({ keymaps = { accept = '<C-l>', next = '<C-k>' } })
    for _, client in ipairs(vim.lsp.get_clients({ name = 'weft' })) do
      vim.api.nvim_exec_autocmds('LspAttach', { buffer = 0, data = { client_id = client.id } })
    end]])
  with.go(child, blank)
  child:type('<C-l>')
  child:type('<C-k>')
  child:wait('result of the old mappings', function()
    return child:state().before == blank.from .. 'lefté'
  end)
end

--- No keys are taken when the user says so.
function M.no_keymaps(child, with)
  with.open_with_script(child, {}, nil, { keymaps = false })
  local taken = child:lua([[return vim.iter(vim.api.nvim_buf_get_keymap(0, 'i')):any(
    function(map) return (map.desc or ''):find('weft') ~= nil end)]])
  with.expect(taken, false, 'weft keys')
end

--- Neither setup() nor anything else: $WEFTD alone, and :WeftStatus, :checkhealth and :help work.
function M.no_configuration(child, with)
  local file = child.folder .. '/a.py'
  vim.fn.writefile({ 'import os' }, file)
  child:start(file, false, { WEFTD = child.options.weftd })
  child:wait('attached client', function()
    return child:lua("return #vim.lsp.get_clients({ name = 'weft', bufnr = 0 })") == 1
  end)
  child:lua('vim.cmd.WeftStatus()')
  child:wait('status on the screen', function()
    return table.concat(child:screen(), '\n'):find('model.name: scripted', 1, true)
  end)
  child:lua("vim.cmd('checkhealth weft')")
  local report = table.concat(child:lines(), '\n')
  for _, part in ipairs({ 'weftd fake', '$WEFTD', 'attached to 1 buffer', 'state: ready' }) do
    assert(report:find(part, 1, true), ('no "%s" in:\n%s'):format(part, report))
  end
  assert(not report:find('ERROR', 1, true), report)
  child:lua("vim.cmd('help weft')")
  assert(child:lua("return vim.fn.expand('%:p')"):find('editors/nvim/doc/weft.txt', 1, true), 'help weft is not found')
end

--- A weftd that is not there: said once, with what to do, and editing goes on.
function M.missing_weftd(child, with)
  local file = child.folder .. '/a.py'
  vim.fn.writefile({ 'import os' }, file)
  child:start(file, false, { WEFTD = child.folder .. '/nowhere' })
  child:wait('message about the missing weftd', function()
    return child:lua("return vim.fn.execute('messages')"):find('weft: $WEFTD is not a program: ', 1, true)
  end)
  child:type('ihello<Tab><Esc>')
  child:wait('typed text', function()
    return vim.startswith(child:lines()[1], 'hello')
  end)
  with.expect(child:lua('return #vim.lsp.get_clients()'), 0, 'clients')
  child:lua("vim.cmd('checkhealth weft')")
  local report = table.concat(child:lines(), '\n')
  for _, part in ipairs({ 'ERROR', 'nowhere', '$WEFTD', 'make build', 'not attached' }) do
    assert(report:find(part, 1, true), ('no "%s" in:\n%s'):format(part, report))
  end
end

--- A weftd without a model: said on one line, which asks for no key, and in :checkhealth.
function M.broken_weftd(child, with)
  local file = child.folder .. '/a.py'
  vim.fn.writefile({ 'import os' }, file)
  child:start(file, { cmd = { child.options.weftd, '--broken' } })
  child:wait('message about the missing model', function()
    return child:lua("return vim.fn.execute('messages')"):find('no model in /a/long/way', 1, true)
  end)
  child:type('ihello<Tab><Esc>')
  child:wait('typed text', function()
    return vim.startswith(child:lines()[1], 'hello')
  end)
  child:lua("vim.cmd('checkhealth weft')")
  local report = table.concat(child:lines(), '\n')
  for _, part in ipairs({ 'weftd has no model', 'weft doctor', 'second line' }) do
    assert(report:find(part, 1, true), ('no "%s" in:\n%s'):format(part, report))
  end
end

--- vim.g.weft_enabled = false keeps weft out until it is enabled.
function M.switched_off(child, with)
  local file = child.folder .. '/a.py'
  vim.fn.writefile({ 'import os' }, file)
  local config = child.folder .. '/off.vim'
  vim.fn.writefile({ 'let g:weft_enabled = v:false' }, config)
  child:start(file, false, { WEFTD = child.options.weftd, WEFT_TEST_VIMRC = config })
  with.expect(child:lua("return vim.lsp.is_enabled('weft')"), false, 'enabled')
  child:lua("require('weft').enable()")
  child:wait('attached client', function()
    return child:lua("return #vim.lsp.get_clients({ name = 'weft', bufnr = 0 })") == 1
  end)
end

return M
