-- How Neovim starts weftd. Read by vim.lsp.config('weft'); `require('weft').setup` and your own vim.lsp.config('weft', …)
-- go on top of it.
local markers = { 'pyproject.toml', 'setup.py', 'setup.cfg', '.git' }

---@type vim.lsp.Config
return {
  cmd = function(dispatchers, config)
    return require('weft.server').start(dispatchers, config)
  end,
  filetypes = { 'python' },
  handlers = {
    ['window/showMessage'] = function(...)
      return require('weft.server').on_message(...)
    end,
  },
  root_dir = function(buf, on_dir)
    -- Without a weftd nothing is started, and the user hears once what to do about it.
    if require('weft.server').available() then
      on_dir(vim.fs.root(buf, markers))
    end
  end,
}
