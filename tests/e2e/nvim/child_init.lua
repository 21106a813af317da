-- The configuration of the Neovim under test: the plugin, and under it a recorder of what the daemon answered, so that
-- the test can tell a true suggestion from a stale one without trusting the plugin.
Observe = { answers = {} }

local start = vim.lsp.rpc.start
vim.lsp.rpc.start = function(...)
  local rpc = start(...)
  local request = rpc.request
  rpc.request = function(method, params, callback, on_reply)
    if method == 'textDocument/inlineCompletion' then
      local row = params.position.line
      local line = vim.api.nvim_buf_get_lines(0, row, row + 1, false)[1]
      local inner = callback
      callback = function(err, result, ...)
        inner(err, result, ...)
        local items = {}
        local encoding = vim.lsp.get_clients({ name = 'weft' })[1].offset_encoding
        for _, item in ipairs(result and (result.items or result) or {}) do
          local range = item.range or { start = params.position, ['end'] = params.position }
          items[#items + 1] = {
            text = item.insertText,
            from = vim.str_byteindex(line, encoding, range.start.character),
            to = vim.str_byteindex(line, encoding, range['end'].character),
          }
        end
        table.insert(Observe.answers, {
          row = row,
          col = vim.str_byteindex(line, encoding, params.position.character),
          line = line,
          items = items,
          superseded = result == nil,
          error = err and err.message,
        })
      end
    end
    return request(method, params, callback, on_reply)
  end
  return rpc
end

--- The text in the extmarks of Neovim's inline completion.
local function ghost()
  local namespace = vim.api.nvim_get_namespaces()['nvim.lsp.inline_completion']
  local marks = namespace and vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true }) or {}
  if #marks == 0 then
    return nil
  end
  local lines, hint = {}, ''
  for _, chunks in ipairs({ marks[1][4].virt_text or {}, unpack(marks[1][4].virt_lines or {}) }) do
    local line = ''
    for _, chunk in ipairs(chunks) do
      if chunk[2] == 'ComplHintMore' then
        hint = chunk[1]
      else
        line = line .. chunk[1]
      end
    end
    lines[#lines + 1] = line
  end
  return { row = marks[1][2], col = marks[1][3], text = table.concat(lines, '\n'), hint = hint, marks = #marks }
end

--- Row and column count from 0, the column in bytes.
function Observe.state()
  local cursor = vim.api.nvim_win_get_cursor(0)
  local line = vim.api.nvim_get_current_line()
  return {
    row = cursor[1] - 1,
    col = cursor[2],
    before = line:sub(1, cursor[2]),
    after = line:sub(cursor[2] + 1),
    mode = vim.api.nvim_get_mode().mode,
    ghost = ghost(),
  }
end

--- What the daemon answered for the place where the cursor is, or nil.
function Observe.answer_here()
  local state = Observe.state()
  for i = #Observe.answers, 1, -1 do
    local answer = Observe.answers[i]
    if
      answer.row == state.row
      and answer.col == state.col
      and answer.line == state.before .. state.after
      and not answer.superseded
    then
      return answer
    end
  end
end

--- Nil, or why the suggestion on the screen is not true: it must stand at the cursor and be the rest of an answer that
--- was given for this line and begins with what was typed of it.
function Observe.lie()
  local state = Observe.state()
  if not state.ghost then
    return nil
  end
  local shown = ('"%s|%s" shows "%s"'):format(state.before, state.after, state.ghost.text)
  if state.ghost.marks ~= 1 then
    return shown .. ' more than once'
  elseif state.ghost.row ~= state.row or state.ghost.col ~= state.col then
    return ('%s at %d:%d, not at the cursor'):format(shown, state.ghost.row, state.ghost.col)
  end
  for _, answer in ipairs(Observe.answers) do
    for _, item in ipairs(answer.row == state.row and answer.items or {}) do
      local promised = answer.line:sub(1, item.from) .. item.text
      if state.before .. state.ghost.text == promised and vim.endswith(state.after, answer.line:sub(item.to + 1)) then
        return nil
      end
    end
  end
  return shown .. ', which no answer for this place said'
end

function Observe.status()
  local client = vim.lsp.get_clients({ name = 'weft', bufnr = 0 })[1]
  local reply = client and client:request_sync('weft/status', vim.empty_dict(), 1000)
  return reply and reply.result or nil
end

vim.opt.runtimepath:append(vim.env.WEFT_TEST_PLUGIN)
vim.cmd('filetype plugin indent on')
if vim.env.WEFT_TEST_VIMRC then
  vim.cmd.source(vim.env.WEFT_TEST_VIMRC)
end
if vim.env.WEFT_TEST_SETUP then  -- an empty one reads as nil
  require('weft').setup(vim.json.decode(vim.env.WEFT_TEST_SETUP))
end
