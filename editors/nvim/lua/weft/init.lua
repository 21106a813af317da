-- What a user's configuration calls: setup, the keys' actions, :WeftStatus. Everything works without setup.
local ghost = require('weft.ghost')
local say = require('weft.say')

local M = {}

---@class weft.Keymaps
---@field accept? string|false take the whole suggestion, else do what the key did before
---@field accept_word? string|false take its next word
---@field accept_line? string|false take its next line
---@field next? string|false
---@field prev? string|false

---@class weft.Options
---@field cmd? string|string[] weftd, with arguments if need be; default: see |weft-weftd|
---@field model? string folder of a model; default: the one that comes with weft
---@field filetypes? string[] default: { 'python' }
---@field keymaps? weft.Keymaps|false insert-mode keys of attached buffers; false: none

---@type weft.Options
local defaults = {
  keymaps = { accept = '<Tab>', accept_word = false, accept_line = false, next = '<M-]>', prev = '<M-[>' },
}

---@type weft.Options
M.options = vim.deepcopy(defaults)

---@type table<string, fun(): boolean>
local actions = {
  accept = function()
    return M.accept()
  end,
  accept_word = function()
    return M.accept_word()
  end,
  accept_line = function()
    return M.accept_line()
  end,
  next = function()
    return M.next()
  end,
  prev = function()
    return M.prev()
  end,
}

--- What `key` did in insert mode before weft took it, as the keys that an <expr> mapping returns.
---@param before table a maparg() dictionary, empty where the key was not mapped
---@param key string
---@return string
local function fall_back(before, key)
  if vim.tbl_isempty(before) then
    local letter = key:match('^<[MmAa]%-(.)>$')  -- typed, this is <Esc> and the letter; from a mapping it would be text
    return letter and vim.keycode('<Esc>') .. letter or vim.keycode(key)
  end
  local keys
  if before.callback and before.expr == 0 then
    vim.schedule(before.callback)  -- a mapping's function may edit, an <expr> mapping may not
    return ''
  elseif before.callback then
    keys = before.callback() or ''
    keys = before.replace_keycodes == 1 and vim.keycode(keys) or keys
  elseif before.expr == 1 then
    keys = vim.api.nvim_eval(before.rhs)
    keys = before.replace_keycodes == 1 and vim.keycode(keys) or keys
  else
    keys = vim.keycode(before.rhs)
  end
  if before.noremap == 1 then
    return keys
  end
  vim.api.nvim_feedkeys(keys, 'im', false)  -- the old mapping wanted its result mapped again
  return ''
end

---@param buf integer
---@param name string
---@param key string
local function map(buf, name, key)
  local before = vim.api.nvim_buf_call(buf, function()
    return vim.fn.maparg(key, 'i', false, true)
  end)
  local desc = 'weft: ' .. name
  if before.desc == desc then
    return  -- attached a second time
  end
  vim.keymap.set('i', key, function()
    -- <C-g>u: undo takes the suggestion back and leaves what was typed before it.
    return actions[name]() and vim.keycode('<C-g>u') or fall_back(before, key)
  end, { buffer = buf, expr = true, replace_keycodes = false, desc = desc })
end

---@param buf integer
local function on_attach(buf)
  vim.lsp.inline_completion.enable(true, { bufnr = buf })
  for name, key in pairs(M.options.keymaps or {}) do
    if key then
      map(buf, name, key)
    end
  end
end

--- Starts weft in buffers of its file types, now and from now on.
function M.enable()
  vim.api.nvim_create_autocmd('LspAttach', {
    group = vim.api.nvim_create_augroup('weft', {}),
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == 'weft' then
        on_attach(event.buf)
      end
    end,
  })
  vim.lsp.enable('weft')
end

--- Stops weft everywhere.
function M.disable()
  vim.lsp.enable('weft', false)
end

---@param options? weft.Options
function M.setup(options)
  options = options or {}
  vim.validate('cmd', options.cmd, { 'string', 'table' }, true)
  vim.validate('model', options.model, 'string', true)
  vim.validate('filetypes', options.filetypes, 'table', true)
  vim.validate('keymaps', options.keymaps, { 'table', 'boolean' }, true)
  for name in pairs(options.keymaps or {}) do
    if not actions[name] then
      local known = vim.tbl_keys(actions)
      table.sort(known)
      error(('weft: unknown keymap "%s", known: %s'):format(name, table.concat(known, ', ')))
    end
  end
  M.options = vim.tbl_deep_extend('force', vim.deepcopy(defaults), options)
  if options.filetypes then
    vim.lsp.config('weft', { filetypes = options.filetypes })
  end
end

--- Takes the suggestion that is on the screen. False: there is none.
---@return boolean
function M.accept()
  return ghost.accept(function(rest)
    return rest
  end)
end

--- Takes the suggestion's next word: spaces, then letters and digits or else signs.
---@return boolean
function M.accept_word()
  return ghost.accept(function(rest)
    return rest:match('^%s*[%w_\128-\255]+') or rest:match('^%s*[^%w%s_\128-\255]+') or rest
  end)
end

--- Takes the rest of the suggestion's line, or the line break and the next line where the line is done.
---@return boolean
function M.accept_line()
  return ghost.accept(function(rest)
    return rest:match('^\n?[^\n]*')
  end)
end

---@param count integer
---@return boolean
local function cycle(count)
  local buf = vim.api.nvim_get_current_buf()
  if not ghost.visible(buf) then
    return false
  end
  vim.schedule(function()
    vim.lsp.inline_completion.select({ bufnr = buf, count = count })
    ghost.guard(buf)
  end)
  return true
end

--- Shows the next suggestion. False: there is none on the screen.
---@return boolean
function M.next()
  return cycle(1)
end

---@return boolean
function M.prev()
  return cycle(-1)
end

--- weft/status as lines of "name: value", nested names joined by dots.
---@param value any
---@param name? string
---@param lines? string[]
---@return string[]
function M.status_lines(value, name, lines)
  lines = lines or {}
  if type(value) ~= 'table' then
    lines[#lines + 1] = ('%s: %s'):format(name or 'status', tostring(value))
    return lines
  end
  local keys = vim.tbl_keys(value)
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  for _, key in ipairs(keys) do
    M.status_lines(value[key], name and (name .. '.' .. key) or tostring(key), lines)
  end
  return lines
end

--- :WeftStatus
function M.status()
  local client = vim.lsp.get_clients({ name = 'weft' })[1]
  if not client then
    say('not running here, see :checkhealth weft', vim.log.levels.WARN)
    return
  end
  client:request('weft/status', vim.empty_dict(), function(err, result)
    if err then
      say('no status: ' .. err.message, vim.log.levels.WARN)
    else
      -- A window: a message of several lines would ask for a key.
      local lines = M.status_lines(result)
      vim.lsp.util.open_floating_preview(lines, '', { title = ' weft ', border = 'rounded', focusable = false })
    end
  end)
end

return M
