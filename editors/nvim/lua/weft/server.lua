-- Finds weftd and starts it. The connection passes every inline-completion answer through weft.ghost, which drops the
-- ones that the buffer has outrun: Neovim itself shows whatever arrives.
local M = {}

--- Where weftd is looked for, in order. `path` is nil where that place was not given or has none.
---@return { place: string, path?: string }[]
function M.places()
  local cmd = require('weft').options.cmd
  local own = type(cmd) == 'table' and cmd[1] or cmd --[[@as string?]]
  local env = vim.env.WEFTD ~= '' and vim.env.WEFTD or nil
  local here = vim.fs.dirname(vim.fs.normalize(debug.getinfo(1, 'S').source:sub(2)))
  here = vim.uv.fs_realpath(here) or here  -- a link into a checkout counts as the checkout
  local checkout = vim.fs.normalize(here .. '/../../../../build/release/bin/weftd')
  local on_path = vim.fn.exepath('weftd')
  return {
    { place = 'setup({ cmd = … })', path = own and vim.fn.expand(own) },
    { place = '$WEFTD', path = env },
    { place = 'the checkout of this plugin', path = vim.fn.executable(checkout) == 1 and checkout or nil },
    { place = '$PATH', path = on_path ~= '' and on_path or nil },
  }
end

--- The first place that names a weftd. What the user named is not passed over when it is wrong.
---@return string? path, string? place, string? problem
function M.find()
  for _, candidate in ipairs(M.places()) do
    if candidate.path then
      if vim.fn.executable(candidate.path) == 0 then
        return nil, candidate.place, ('%s is not a program: %s'):format(candidate.place, candidate.path)
      end
      return candidate.path, candidate.place
    end
  end
  return nil, nil, 'no weftd found; see :checkhealth weft'
end

--- The whole command line, or nil and why not.
---@return string[]? command, string? problem
function M.command()
  local path, _, problem = M.find()
  if not path then
    return nil, problem
  end
  local options = require('weft').options
  local command = { path }
  if type(options.cmd) == 'table' then
    vim.list_extend(command, options.cmd --[[@as string[] ]], 2)
  end
  if not vim.tbl_contains(command, '--stdio') then
    command[#command + 1] = '--stdio'
  end
  if options.model then
    vim.list_extend(command, { '--model', vim.fs.normalize(options.model) })
  end
  return command
end

local said_unavailable = false

--- Whether there is a weftd to start; says once why not.
---@return boolean
function M.available()
  local command, problem = M.command()
  if problem and not said_unavailable then
    said_unavailable = true
    require('weft.say')(problem, vim.log.levels.WARN)
  end
  return command ~= nil
end

--- window/showMessage
---@param params lsp.ShowMessageParams
function M.on_message(_, params)
  -- An error is shown as a warning: at level ERROR it would break off whatever command is running.
  local levels = { vim.log.levels.WARN, vim.log.levels.WARN, vim.log.levels.INFO, vim.log.levels.DEBUG }
  require('weft.say')(params.message, levels[params.type])
end

---@param dispatchers vim.lsp.rpc.Dispatchers
---@param config vim.lsp.ClientConfig
---@return vim.lsp.rpc.PublicClient
function M.start(dispatchers, config)
  local rpc = vim.lsp.rpc.start(assert(M.command()), dispatchers, {
    cwd = config.cmd_cwd,
    env = config.cmd_env,
    detached = config.detached,
  })
  local request = rpc.request
  ---@diagnostic disable-next-line: duplicate-set-field
  rpc.request = function(method, params, callback, on_reply)
    if method == 'textDocument/inlineCompletion' then
      callback = require('weft.ghost').screen(params, callback)
    end
    return request(method, params, callback, on_reply)
  end
  return rpc
end

return M
